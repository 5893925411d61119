//! Every table and key of a scenario file.

use super::shape::{Bounds, Default, Shape, Table, key};
use Bounds::{Any, NotNegative, Positive, PositiveShare, Share, ShareBelowOne};
use Default::{Flag, Integer, Number, Text, Words};

const DAYS: Shape = Shape::List(&Shape::Text);
const SKILLS: Shape =
    Shape::Either(&[Shape::List(&Shape::Text), Shape::Map(&Shape::Integer(1, 10), "skill = proficiency")]);
const NAMES: Shape = Shape::List(&Shape::Text);

/// The whole file.
pub(crate) static SCENARIO: Table = Table {
    name: "scenario",
    doc: "The whole file. Everything has a name; names are chosen freely and are case-sensitive.",
    keys: &[
        key("name", Shape::Text, "Name, shown in reports.").or(Words("the file's name")),
        key("description", Shape::Text, "What the scenario models, for readers of the report."),
        key("skills", NAMES, "Names of the skills that queues ask for and operators have."),
        key("run", Shape::Table(&RUN), "What one replication covers, and how many there are."),
        key("service", Shape::Map(&Shape::Table(&SERVICE), "services by name"), "Lines of business.")
            .or(Words("one service named `main`, open at all hours")),
        key("queue", Shape::Map(&Shape::Table(&QUEUE), "queues by name"), "Waiting lines; at least one.").required(),
        key("flow", Shape::Map(&Shape::Table(&FLOW), "call flows by name"), "What a contact meets before a queue."),
        key("blending", Shape::Table(&BLENDING), "What contacts cost of an operator's capacity."),
        key(
            "customers",
            Shape::Map(&Shape::Table(&CUSTOMERS), "classes of customers by name"),
            "Who calls, chats or writes.",
        )
        .or(Words("nobody; then a campaign must dial")),
        key(
            "operators",
            Shape::Map(&Shape::Table(&OPERATORS), "groups of operators by name"),
            "Who answers; at least one group.",
        )
        .required(),
        key("campaign", Shape::Map(&Shape::Table(&CAMPAIGN), "campaigns by name"), "Outbound campaigns."),
        key(
            "thresholds",
            Shape::List(&Shape::Table(&THRESHOLD)),
            "Bounds on figures; the exit code is 1 if one is missed.",
        ),
    ],
};

/// `[run]`.
pub(crate) static RUN: Table = Table {
    name: "run",
    doc: "What one replication covers: days (the default), an exact number of contacts, or hours of steady state; give one of `days`, `contacts` and `hours`.",
    keys: &[
        key("seed", Shape::Integer(0, i64::MAX), "Seed of all random streams.").or(Integer(1)),
        key("replications", Shape::Integer(1, 1_000_000), "Independent runs; with `precision`, the first batch.")
            .or(Integer(20)),
        key("precision", Shape::Table(&PRECISION), "Adds replications until a figure is precise enough."),
        key("days", Shape::Integer(1, 3660), "Consecutive days in a replication.").or(Integer(1)),
        key("from", Shape::Time, "Time of day from which customers arrive.").or(Text("00:00")),
        key("to", Shape::Time, "Time of day until which customers arrive; those already there are served to the end.")
            .or(Text("24:00")),
        key("warm_up_days", Shape::Integer(0, 3659), "Days at the start that are simulated but not counted.")
            .or(Integer(0)),
        key(
            "contacts",
            Shape::Integer(1, 1_000_000_000_000),
            "Instead of days: exactly so many arrivals, from an empty system until all have left.",
        ),
        key("warm_up_contacts", Shape::Integer(0, 1_000_000_000_000), "Arrivals at the start that are not counted.")
            .or(Integer(0)),
        key("hours", Shape::Number(Positive), "Instead of days: so many hours, from an empty system."),
        key("warm_up_hours", Shape::Number(NotNegative), "Hours before those that are counted.").or(Number(0.0)),
        key("date", Shape::Date, "Date of the first day.").or(Words("a Monday without a date")),
        key("time_zone", Shape::Text, "IANA time zone, such as `Asia/Tokyo`.").or(Text("UTC")),
        key("interval_min", Shape::Integer(1, 1440), "Length of a statistics interval; divides 24 hours.")
            .or(Integer(30)),
    ],
};

/// `[run.precision]`.
pub(crate) static PRECISION: Table = Table {
    name: "precision",
    doc: "Sequential stopping: replications are added until the 95 % interval of a figure is narrow enough. Give `half_width`, `relative` or both.",
    keys: &[
        key("metric", Shape::Text, "The figure, by its name in thresholds.").or(Text("service_level")),
        key("half_width", Shape::Number(Positive), "Wanted half-width in the figure's own unit."),
        key("relative", Shape::Number(PositiveShare), "Wanted half-width as a share of the mean."),
        key("max_replications", Shape::Integer(1, 1_000_000), "Stops here in any case.").or(Integer(1000)),
    ],
};

/// `[service.NAME]`.
pub(crate) static SERVICE: Table = Table {
    name: "service",
    doc: "A line of business: contract, opening hours, settings of the phone desk.",
    keys: &[
        key("inbound", Shape::Flag, "The contract covers inbound calls.").or(Flag(true)),
        key("outbound", Shape::Flag, "The contract covers outbound calls.").or(Flag(false)),
        key("hours", Shape::List(&Shape::Table(&HOURS)), "Opening hours, for the step `hours` of a flow.").or(Words("always open")),
        key("holidays", Shape::List(&Shape::Date), "Dates on which the service is closed."),
        key("login_status", Shape::Choice(&["work", "ready", "break"]), "Status at CTI login.").or(Text("work")),
        key("ring_limit_s", Shape::Number(Positive), "Ring limit, after which a contact is recovered to its queue.").or(Number(15.0)),
        key("miss_rule", Shape::Choice(&["work", "stay-ready"]), "What a missed or declined offer does to the operator: leaves Ready for Work, or stays Ready, last in the idle order.").or(Text("work")),
        key("break_after_misses", Shape::Integer(1, 255), "With `stay-ready`: Break after so many misses in a row."),
        key("outbound_ticket", Shape::Choice(&["at-connect", "at-dial"]), "When the ticket of an outbound call is created.").or(Text("at-connect")),
        key("dial_limit_s", Shape::Number(Positive), "Ring limit of a dial.").or(Number(60.0)),
        key("consult_limit_s", Shape::Number(Positive), "Ring limit of a consulted party.").or(Number(30.0)),
        key("after_call_limit_s", Shape::Number(Positive), "Limit of after-call work.").or(Words("none")),
        key("after_call_fixed", Shape::Flag, "With `after_call_limit_s`: the operator may not leave earlier either.").or(Flag(false)),
        key("next_status", Shape::Choice(&["ready", "work", "break"]), "Status after after-call work.").or(Text("ready")),
        key("forced_end_announcement_s", Shape::Number(NotNegative), "Length of the announcement before a forced end.").or(Number(8.0)),
        key("device_lost", Shape::Choice(&["requeue", "end"]), "What happens to a call whose operator's device is lost.").or(Text("requeue")),
        key("device_grace_s", Shape::Number(Positive), "A lost device that does not come back within this time logs its operator out.").or(Number(30.0)),
        key("solve_at_wrap_up", Shape::Flag, "The end of after-call work solves the contact's ticket.").or(Flag(true)),
        key("ticket_close_days", Shape::Number(NotNegative), "From Solved to Closed.").or(Number(14.0)),
        key("callback_attempts", Shape::Integer(1, 255), "Dials for a callback before it is given up.").or(Integer(3)),
        key("callback_retry_s", Shape::Number(Positive), "From a failed callback to the next offer.").or(Number(300.0)),
        key("outgoing_numbers", NAMES, "Registered caller ids, the first preselected."),
        key("favourites", Shape::Map(&Shape::Text, "name = \"number\""), "Favourite transfer numbers."),
    ],
};

/// One entry of `hours`.
pub(crate) static HOURS: Table = Table {
    name: "hours",
    doc: "An open span of the day.",
    keys: &[
        key("days", DAYS, "Days on which it holds: `mon` … `sun`, `weekdays`, `weekend`, or dates.")
            .or(Words("every day")),
        key("from", Shape::Time, "Opening time.").required(),
        key("to", Shape::Time, "Closing time.").required(),
    ],
};

/// `[queue.NAME]`.
pub(crate) static QUEUE: Table = Table {
    name: "queue",
    doc: "A waiting line and its rules.",
    keys: &[
        key("service", Shape::Text, "Service that it belongs to.").or(Words("the only service")),
        key(
            "channel",
            Shape::Choice(&["phone", "chat", "ticket"]),
            "Kind of its contacts. A chat that finds nobody there for it is refused.",
        )
        .or(Text("phone")),
        key("policy", Shape::Choice(&["longest-idle", "fewest-calls", "least-occupied", "highest-proficiency", "fixed-order", "round-robin", "random", "ring-all", "ring-progressively"]), "Which Ready operator is chosen; lower levels always go first.").or(Text("longest-idle")),
        key("idle_since", Shape::Choice(&["last-call", "ready"]), "With `longest-idle`: idle since the end of the last call, or since becoming Ready.").or(Text("last-call")),
        key("ring_step_s", Shape::Number(Positive), "With `ring-progressively`: span until the next phone rings too.").or(Number(5.0)),
        key("skills", SKILLS, "Skills that an operator needs: a list, or a table skill = least proficiency (1–10)."),
        key("head_start_s", Shape::Number(Positive), "Ageing: each level of priority counts as having arrived this much earlier. Without it a higher priority always goes first.").or(Words("strict priority")),
        key("relax", Shape::List(&Shape::Table(&RELAX)), "How requirements relax as the wait grows, by ascending wait."),
        key("ring_limit_s", Shape::Number(Positive), "Ring limit of this queue.").or(Words("the service's")),
        key("limit", Shape::Integer(0, 1_000_000), "Most contacts waiting at once; further ones overflow.").or(Words("none")),
        key("max_wait_s", Shape::Number(Positive), "Longest wait before a contact overflows.").or(Words("none")),
        key("overflow", Shape::Choice(&["end", "voicemail", "queue", "forward"]), "Where a contact goes that finds the queue full or has waited too long.").or(Text("end")),
        key("overflow_queue", Shape::Text, "With `queue`: the other queue."),
        key("overflow_number", Shape::Text, "With `forward`: the number."),
        key("last_operator_wait_s", Shape::Number(Positive), "How long a known customer waits for the operator of the last time, before anybody is asked.").or(Words("not at all")),
        key("service_level", Shape::Table(&SERVICE_LEVEL), "What good service is here."),
    ],
};

/// One entry of `relax`.
pub(crate) static RELAX: Table = Table {
    name: "relax",
    doc: "One step of relaxing: after a wait, a skill is no longer needed, or lower proficiency is enough, or operators of a higher level are asked too. Give one of `drop_skill`, `min_proficiency` and `level`.",
    keys: &[
        key("after_s", Shape::Number(Positive), "Wait after which it applies.").required(),
        key("drop_skill", Shape::Text, "Skill that is no longer needed."),
        key("min_proficiency", Shape::Integer(1, 10), "No skill is needed at more than this proficiency."),
        key(
            "level",
            Shape::Integer(2, 255),
            "Highest level of operators that is now asked; before the first such step only level 1 is.",
        ),
    ],
};

/// `service_level`.
pub(crate) static SERVICE_LEVEL: Table = Table {
    name: "service_level",
    doc: "The service level of a queue.",
    keys: &[
        key("threshold_s", Shape::Number(NotNegative), "A wait up to this is in time.").or(Number(20.0)),
        key("target", Shape::Number(PositiveShare), "Wanted share.").or(Number(0.8)),
        key("rule", Shape::Choice(&["short", "ignore", "negative", "positive", "handled"]), "How abandoned contacts count: short abandons left out, early ones left out, all as misses, early ones as met, or answered ones alone.").or(Text("short")),
        key("short_abandon_s", Shape::Number(NotNegative), "An abandonment up to this wait is short.").or(Number(5.0)),
    ],
};

/// `[flow.NAME]`.
pub(crate) static FLOW: Table = Table {
    name: "flow",
    doc: "A call flow: a list of steps, begun at the first. A step goes on to the following one unless it names another.",
    keys: &[
        key("service", Shape::Text, "Service that it belongs to.").or(Words("the only service")),
        key("steps", Shape::List(&Shape::Table(&STEP)), "The steps.").required(),
    ],
};

/// One entry of `steps`.
pub(crate) static STEP: Table = Table {
    name: "step",
    doc: "A step of a flow. `do` decides which other keys have a meaning.",
    keys: &[
        key("do", Shape::Choice(&["hours", "announcement", "menu", "set-skills", "set-priority", "queue", "queue-check", "callback", "voicemail", "forward", "end"]), "What the step does.").required(),
        key("name", Shape::Text, "Name, by which other steps point at it.").or(Words("what it does, numbered")),
        key("next", Shape::Text, "Step after this one (after an announcement, set-skills, set-priority; open hours; a queue that is not busy).").or(Words("the following step")),
        key("closed", Shape::Text, "hours: step while the service is closed."),
        key("length_s", Shape::Number(NotNegative), "announcement: its length; menu and callback: length of the prompt; voicemail: length of the message.").or(Words("0; a message 20")),
        key("text", Shape::Text, "announcement: what is said."),
        key("options", Shape::List(&Shape::Table(&OPTION)), "menu: the keys."),
        key("timeout_s", Shape::Number(Positive), "menu: wait for a key.").or(Number(5.0)),
        key("otherwise", Shape::Text, "menu: step for no key or a wrong one.").or(Words("the following step")),
        key("skills", SKILLS, "set-skills: skills that the contact needs from here on."),
        key("priority", Shape::Integer(0, 255), "set-priority: the new priority."),
        key("queue", Shape::Text, "queue, queue-check, callback: the queue; voicemail: a queue of tickets for the message, if wanted."),
        key("overflow", Shape::Text, "queue: step for a contact that finds it full or has waited too long.").or(Words("the queue's own rule")),
        key("when", Shape::Choice(&["waiting", "longest-wait", "nobody-logged-in", "nobody-ready"]), "queue-check: when the queue is busy.").or(Text("waiting")),
        key("busy_from", Shape::Integer(1, 1_000_000), "queue-check, `waiting`: contacts waiting from which the queue is busy.").or(Integer(1)),
        key("busy_wait_s", Shape::Number(Positive), "queue-check, `longest-wait`: the longest wait from which the queue is busy.").or(Number(60.0)),
        key("busy", Shape::Text, "queue-check: step when busy."),
        key("accept", Shape::Number(Share), "callback: share of customers who accept.").or(Number(0.3)),
        key("declined", Shape::Text, "callback: step for those who do not.").or(Words("the following step")),
        key("limit_s", Shape::Number(Positive), "voicemail: longest message.").or(Number(120.0)),
        key("number", Shape::Text, "forward: the number."),
    ],
};

/// One entry of `options`.
pub(crate) static OPTION: Table = Table {
    name: "option",
    doc: "A key of a menu.",
    keys: &[
        key("key", Shape::Choice(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]), "The key.").required(),
        key("next", Shape::Text, "Step for it.").required(),
        key(
            "share",
            Shape::Number(Share),
            "Share of customers who press it; those whom no share covers press nothing.",
        )
        .or(Words("an equal share of what the others leave")),
    ],
};

/// `[customers.NAME]`.
pub(crate) static CUSTOMERS: Table = Table {
    name: "customers",
    doc: "A class of customers who behave alike.",
    keys: &[
        key("queue", Shape::Text, "Queue into which they go at once. Give this or `flow`.").or(Words("the only queue")),
        key("flow", Shape::Text, "Flow that they run through."),
        key("priority", Shape::Integer(0, 255), "Priority: the higher, the sooner served.").or(Integer(0)),
        key(
            "skills",
            SKILLS,
            "Skills that callers need beside the queue's: a list, or a table skill = least proficiency.",
        ),
        key("arrivals", Shape::Table(&ARRIVALS), "When they arrive.").required(),
        key("known_share", Shape::Number(Share), "Share of contacts from a known customer.").or(Number(0.0)),
        key("population", Shape::Integer(1, 4_000_000_000), "Number of known customers.").or(Integer(10_000)),
        key("patience", Shape::Table(&DISTRIBUTION), "Wait in the queue that a customer would bear.")
            .or(Words("never leaves")),
        key("balking", Shape::Number(Share), "Share who leave at once if they would have to wait.").or(Number(0.0)),
        key("redial", Shape::Table(&REDIAL), "Calling again after giving up."),
        key(
            "menus",
            Shape::List(&Shape::Table(&MENU_SHARES)),
            "Keys that this class presses, where they differ from the menu's own shares.",
        ),
        key("handling", Shape::Table(&HANDLING), "What serving them takes.").required(),
    ],
};

/// `arrivals`.
pub(crate) static ARRIVALS: Table = Table {
    name: "arrivals",
    doc: "When customers arrive. Give one of `per_hour`, `intervals`, `curves`, `forecast` and `trace`.",
    keys: &[
        key("per_hour", Shape::Number(NotNegative), "Poisson arrivals at a constant rate."),
        key(
            "intervals",
            Shape::List(&Shape::Table(&INTERVALS)),
            "Poisson arrivals at a rate for each interval of the day.",
        ),
        key(
            "curves",
            Shape::List(&Shape::Table(&CURVE)),
            "Poisson arrivals at a rate that is linear between points of the day.",
        ),
        key(
            "forecast",
            Shape::Text,
            "CSV file with the columns `interval`, `volume` and, if wanted, `aht_s`, `class` (see below).",
        ),
        key("forecast_interval_min", Shape::Integer(1, 1440), "Length of the forecast's intervals.")
            .or(Words("`run.interval_min`")),
        key(
            "trace",
            Shape::Text,
            "CSV file with the column `time` and, if wanted, `class`, `customer`, `patience_s`, `talk_s`, `after_call_s`, `priority` (see below).",
        ),
        key("day_factor", Shape::Table(&DAY_FACTOR), "A random factor for each day: busy days and quiet ones."),
        key("interval_factor", Shape::Table(&INTERVAL_FACTOR), "A random factor for each interval."),
    ],
};

/// One entry of `intervals`.
pub(crate) static INTERVALS: Table = Table {
    name: "intervals",
    doc: "Rates by interval, from a time of day on. Give `per_hour` or `contacts`.",
    keys: &[
        key("days", DAYS, "Days on which they hold: `mon` … `sun`, `weekdays`, `weekend`, or dates.")
            .or(Words("every day")),
        key("from", Shape::Time, "Start of the first interval.").or(Words("`run.from`")),
        key("interval_min", Shape::Integer(1, 1440), "Length of each.").or(Words("`run.interval_min`")),
        key("per_hour", Shape::List(&Shape::Number(NotNegative)), "Arrivals per hour in each."),
        key("contacts", Shape::List(&Shape::Number(NotNegative)), "Expected arrivals in each."),
        key(
            "aht_s",
            Shape::List(&Shape::Number(Positive)),
            "Average handle time in each, in seconds: the class's talk, hold and after-call spans are scaled to it.",
        ),
    ],
};

/// One entry of `curves`.
pub(crate) static CURVE: Table = Table {
    name: "curve",
    doc: "A rate that is linear between points; 0 before the first and after the last.",
    keys: &[
        key("days", DAYS, "Days on which it holds: `mon` … `sun`, `weekdays`, `weekend`, or dates.")
            .or(Words("every day")),
        key("points", Shape::List(&Shape::Table(&POINT)), "At least two points, by ascending time.").required(),
    ],
};

/// One entry of `points`.
pub(crate) static POINT: Table = Table {
    name: "point",
    doc: "A point of a rate curve.",
    keys: &[
        key("at", Shape::Time, "Time of day.").required(),
        key("per_hour", Shape::Number(NotNegative), "Arrivals per hour at that moment.").required(),
    ],
};

/// `day_factor`.
pub(crate) static DAY_FACTOR: Table = Table {
    name: "day_factor",
    doc: "A gamma-distributed factor of mean 1 on a whole day's rates.",
    keys: &[
        key("cv", Shape::Number(Positive), "Coefficient of variation: 0.1 is a typical error of 10 %.").required(),
        key("shared", Shape::Flag, "One draw a day for all classes that share it.").or(Flag(false)),
    ],
};

/// `interval_factor`.
pub(crate) static INTERVAL_FACTOR: Table = Table {
    name: "interval_factor",
    doc: "A gamma-distributed factor of mean 1 on each interval's rate.",
    keys: &[
        key("cv", Shape::Number(Positive), "Coefficient of variation.").required(),
        key("interval_min", Shape::Integer(1, 1440), "Length of an interval.").or(Words("`run.interval_min`")),
        key(
            "correlation",
            Shape::Number(ShareBelowOne),
            "Correlation of neighbouring intervals (of their normal scores).",
        )
        .or(Number(0.0)),
        key("shared", Shape::Flag, "One draw an interval for all classes that share it.").or(Flag(false)),
    ],
};

/// `redial`.
pub(crate) static REDIAL: Table = Table {
    name: "redial",
    doc: "Calling again after a failed attempt: the same person, with the same patience and the same matter.",
    keys: &[
        key("probability", Shape::Number(Share), "Probability after each failed attempt.").required(),
        key("delay", Shape::Table(&DISTRIBUTION), "From the failure to the next attempt.").required(),
        key("max_attempts", Shape::Integer(2, 1000), "Attempts in all, the first included.").or(Integer(10)),
        key("after_refusal", Shape::Flag, "Calls again after a refusal (queue full, closed) too.").or(Flag(true)),
    ],
};

/// One entry of `menus`.
pub(crate) static MENU_SHARES: Table = Table {
    name: "menu_shares",
    doc: "Keys that a class presses at one menu.",
    keys: &[
        key("step", Shape::Text, "Name of the menu's step in the class's flow.").required(),
        key(
            "shares",
            Shape::Map(&Shape::Number(Share), "key = share"),
            "Share of each key; a key left out is not pressed.",
        )
        .required(),
    ],
};

/// `handling`.
pub(crate) static HANDLING: Table = Table {
    name: "handling",
    doc: "What serving a contact takes.",
    keys: &[
        key("talk", Shape::Table(&DISTRIBUTION), "Talk without holds and consultations; for a ticket, the work on it.")
            .required(),
        key("hold", Shape::Table(&HOLD), "Putting the customer on hold."),
        key("consult", Shape::Table(&CONSULT), "Consulting somebody during the call."),
        key("transfer", Shape::Table(&TRANSFER), "Blind transfer at the end of the talk."),
        key("forced_end", Shape::Number(Share), "Probability that the operator ends the call for abuse or threats.")
            .or(Number(0.0)),
        key("after_call", Shape::Table(&DISTRIBUTION), "Work after the call.").or(Words("none")),
    ],
};

/// `hold`.
pub(crate) static HOLD: Table = Table {
    name: "hold",
    doc: "One hold during the talk.",
    keys: &[
        key("probability", Shape::Number(Share), "Probability.").required(),
        key("length", Shape::Table(&DISTRIBUTION), "How long the customer hears music.").required(),
    ],
};

/// `consult`.
pub(crate) static CONSULT: Table = Table {
    name: "consult",
    doc: "A consultation while the customer is on hold, with one of `group`, `favourite` and `number`.",
    keys: &[
        key("probability", Shape::Number(Share), "Probability.").required(),
        key("group", Shape::Text, "A Ready operator of this group; if none is Ready the call goes on without."),
        key("favourite", Shape::Text, "A favourite number of the service, by name."),
        key("number", Shape::Text, "A typed number."),
        key(
            "answer_delay",
            Shape::Table(&DISTRIBUTION),
            "Until an outside number answers; operators have their group's own.",
        )
        .or(Words("8 s, constant")),
        key("no_answer", Shape::Number(Share), "Probability that an outside number does not answer.").or(Number(0.0)),
        key("length", Shape::Table(&DISTRIBUTION), "Conversation of the two.").required(),
        key("connect", Shape::Number(Share), "Share that ends with *connect customer*; the rest are cancelled.")
            .or(Number(0.0)),
        key("talk_after", Shape::Table(&DISTRIBUTION), "The customer's talk with the target after *connect customer*.")
            .or(Words("`talk`")),
    ],
};

/// `transfer`.
pub(crate) static TRANSFER: Table = Table {
    name: "transfer",
    doc: "A blind transfer to one of `queue`, `group` and `number`.",
    keys: &[
        key("probability", Shape::Number(Share), "Probability.").required(),
        key("queue", Shape::Text, "Into this queue."),
        key("group", Shape::Text, "To a Ready operator of this group."),
        key("number", Shape::Text, "To an outside number: the call ends for us."),
        key("talk_after", Shape::Table(&DISTRIBUTION), "Talk at the target, if that is a queue or a group.")
            .or(Words("`talk`")),
    ],
};

/// `[operators.NAME]`.
pub(crate) static OPERATORS: Table = Table {
    name: "operators",
    doc: "A group of operators who are alike. Give one of `count`, `staffing`, `shifts` and `roster`. When fewer are wanted, those who are free go first and then whoever is free next; a call in hand is finished. With planned breaks operators are told apart, and each goes at the end of their own shift.",
    keys: &[
        key("services", NAMES, "Services that they belong to.").or(Words("all")),
        key("skills", SKILLS, "Skills: a list (proficiency 5), or a table skill = proficiency (1–10)."),
        key("queues", Shape::List(&Shape::Either(&[Shape::Text, Shape::Table(&SERVED_QUEUE)])), "Queues that they serve: names, or tables with a level and a preference.").or(Words("all queues of their services")),
        key("count", Shape::Integer(0, 1_000_000), "So many from `run.from` to `run.to` of every day, or all the time."),
        key("staffing", Shape::List(&Shape::Table(&STAFFING)), "So many in each interval of the day."),
        key("shifts", Shape::List(&Shape::Table(&SHIFT)), "Shifts; counts of overlapping shifts add up."),
        key("roster", Shape::Text, "CSV file with the columns `start`, `end`, `count` and, if wanted, `group`, `day`, `shrinkage` (see below)."),
        key("shrinkage", Shape::Number(ShareBelowOne), "Share of paid time for which rostered operators are away; counts are reduced by it, to the nearest whole operator.").or(Number(0.0)),
        key("counts_are", Shape::Choice(&["rostered", "present"]), "With `present`, the counts are operators who are there, and shrinkage is added to find who is paid.").or(Text("rostered")),
        key("answer_delay", Shape::Table(&DISTRIBUTION), "From the start of ringing to the answer.").or(Words("3 s, constant")),
        key("miss", Shape::Number(Share), "Probability that an offer is not answered at all.").or(Number(0.0)),
        key("decline", Shape::Number(Share), "Probability that an offer is declined.").or(Number(0.0)),
        key("back_after_miss", Shape::Table(&DISTRIBUTION), "Time in Work or Break before an operator who missed an offer is Ready again.").or(Words("60 s, constant")),
        key("breaks", Shape::List(&Shape::Table(&BREAK)), "Breaks, beside the shrinkage."),
        key("auto_answer", Shape::Flag, "Phones answer by themselves, at once, instead of after `answer_delay`.").or(Flag(false)),
        key("points", Shape::Integer(1, 60_000), "Capacity of an operator, in points; what a contact costs is in `blending`.").or(Integer(100)),
        key("chat_limit", Shape::Integer(0, 255), "Most chats at once.").or(Integer(3)),
        key("ticket_limit", Shape::Integer(0, 255), "Most tickets at once.").or(Integer(1)),
        key("handling_factor", Shape::Number(Positive), "Multiplies talk and after-call work; 1.2 is a group that takes 20 % longer.").or(Number(1.0)),
    ],
};

/// One entry of `queues` in `[operators.NAME]`.
pub(crate) static SERVED_QUEUE: Table = Table {
    name: "served_queue",
    doc: "A queue that a group serves.",
    keys: &[
        key("queue", Shape::Text, "The queue.").required(),
        key("level", Shape::Integer(1, 255), "The queue's view: operators of level 1 are asked first.").or(Integer(1)),
        key(
            "preference",
            Shape::Integer(1, 255),
            "The operators' view: contacts of queues of preference 1 are taken first.",
        )
        .or(Integer(1)),
    ],
};

/// One entry of `staffing`.
pub(crate) static STAFFING: Table = Table {
    name: "staffing",
    doc: "Operators by interval, from a time of day on.",
    keys: &[
        key("days", DAYS, "Days on which it holds: `mon` … `sun`, `weekdays`, `weekend`, or dates.")
            .or(Words("every day")),
        key("from", Shape::Time, "Start of the first interval.").or(Words("`run.from`")),
        key("interval_min", Shape::Integer(1, 1440), "Length of each.").or(Words("`run.interval_min`")),
        key("counts", Shape::List(&Shape::Integer(0, 1_000_000)), "Operators in each.").required(),
    ],
};

/// One entry of `shifts`.
pub(crate) static SHIFT: Table = Table {
    name: "shift",
    doc: "A shift.",
    keys: &[
        key("days", DAYS, "Days on which it is worked: `mon` … `sun`, `weekdays`, `weekend`, or dates.")
            .or(Words("every day")),
        key("from", Shape::Time, "Start.").required(),
        key("to", Shape::Time, "End.").required(),
        key("count", Shape::Integer(0, 1_000_000), "Operators.").required(),
    ],
};

/// One entry of `breaks`.
pub(crate) static BREAK: Table = Table {
    name: "break",
    doc: "A break of every operator: after a time on duty (`after_min`, `length_min`), or at random (`per_hour`, `length`).",
    keys: &[
        key(
            "after_min",
            Shape::Number(Positive),
            "From the shift's start to the break, taken at the next moment without a contact.",
        ),
        key("length_min", Shape::Number(Positive), "Its length."),
        key("per_hour", Shape::Number(Positive), "Random breaks per operator and hour on duty."),
        key("length", Shape::Table(&DISTRIBUTION), "Length of a random break."),
    ],
};

/// `[blending]`.
pub(crate) static BLENDING: Table = Table {
    name: "blending",
    doc: "What contacts cost of an operator's capacity, and what may interrupt what.",
    keys: &[
        key("phone_points", Shape::Integer(1, 60_000), "Points of a call.").or(Integer(100)),
        key("chat_points", Shape::Integer(1, 60_000), "Points of a chat.").or(Integer(20)),
        key("ticket_points", Shape::Integer(1, 60_000), "Points of a ticket.").or(Integer(20)),
        key(
            "phone_interrupts_tickets",
            Shape::Flag,
            "A call may be offered to an operator who works on tickets: they rest until the call is over.",
        )
        .or(Flag(true)),
        key(
            "phone_interrupts_chats",
            Shape::Flag,
            "A call may be offered to an operator with chats: they go on, but cost nothing until the call is over.",
        )
        .or(Flag(false)),
        key(
            "chat_interrupts_tickets",
            Shape::Flag,
            "A chat may be offered to an operator whose tickets would leave too few points.",
        )
        .or(Flag(true)),
    ],
};

/// `[campaign.NAME]`.
pub(crate) static CAMPAIGN: Table = Table {
    name: "campaign",
    doc: "An outbound campaign. Give one of `per_hour`, `intervals` and `idle_s`.",
    keys: &[
        key("service", Shape::Text, "Service, with an outbound contract.").or(Words("the only service")),
        key("groups", NAMES, "Groups of operators who dial.").required(),
        key("outgoing_number", Shape::Text, "Registered caller id.").or(Words("the service's first")),
        key("list_size", Shape::Integer(1, 4_000_000_000), "Customers on each day's list.").or(Words("no end")),
        key("per_hour", Shape::Number(Positive), "Dials per hour, as far as somebody is Ready."),
        key("intervals", Shape::List(&Shape::Table(&INTERVALS)), "Dials by interval of the day."),
        key("idle_s", Shape::Number(NotNegative), "Whoever has been Ready for so long dials."),
        key(
            "keep_ready",
            Shape::Integer(0, 1_000_000),
            "With `idle_s`: others who must stay Ready for inbound contacts.",
        )
        .or(Integer(0)),
        key("preview", Shape::Table(&DISTRIBUTION), "Looking at the record before the dial.").or(Words("none")),
        key("ring", Shape::Table(&DISTRIBUTION), "From the dial to the customer's answer.").or(Words("10 s, constant")),
        key("connect", Shape::Number(Share), "Probability that a customer answers.").or(Number(0.3)),
        key("busy", Shape::Number(Share), "Probability of a busy line; what is left is no answer.").or(Number(0.1)),
        key("max_attempts", Shape::Integer(1, 1000), "Dials for one customer in all.").or(Integer(1)),
        key("retry_delay", Shape::Table(&DISTRIBUTION), "Span before the next dial to a customer not reached.")
            .or(Words("3600 s, constant")),
        key("handling", Shape::Table(&HANDLING), "The conversation.").required(),
    ],
};

/// One entry of `thresholds`.
pub(crate) static THRESHOLD: Table = Table {
    name: "threshold",
    doc: "A bound on a figure. Give `min`, `max` or both.",
    keys: &[
        key("metric", Shape::Text, "Name of the figure (see below).").required(),
        key("queue", Shape::Text, "Of this queue alone.").or(Words("the whole floor")),
        key("group", Shape::Text, "Of this group of operators alone, for figures of operators.")
            .or(Words("the whole floor")),
        key(
            "every_interval",
            Shape::Flag,
            "In every statistics interval with an offered contact, instead of over the whole run.",
        )
        .or(Flag(false)),
        key("min", Shape::Number(Any), "Least value that passes."),
        key("max", Shape::Number(Any), "Greatest value that passes."),
    ],
};

/// A distribution.
pub(crate) static DISTRIBUTION: Table = Table {
    name: "distribution",
    doc: "A distribution of a span. `kind` decides which other keys have a meaning (see below).",
    keys: &[
        key("kind", Shape::Choice(KINDS), "Kind of distribution.").or(Text("exponential")),
        key(
            "mean_s",
            Shape::Number(Positive),
            "exponential, erlang; lognormal and gamma with `cv`; gamma and weibull with `shape`: the mean.",
        ),
        key("value_s", Shape::Number(NotNegative), "constant: the value."),
        key("low_s", Shape::Number(NotNegative), "uniform: lower bound."),
        key("high_s", Shape::Number(Positive), "uniform: upper bound."),
        key("cv", Shape::Number(Positive), "lognormal, gamma: coefficient of variation, standard deviation ÷ mean."),
        key("median_s", Shape::Number(Positive), "lognormal: the median, with `sigma`."),
        key("sigma", Shape::Number(Positive), "lognormal: standard deviation of the natural logarithm."),
        key("shape", Shape::Number(Positive), "gamma, weibull: the shape."),
        key("scale_s", Shape::Number(Positive), "gamma, weibull: the scale, with `shape`."),
        key("phases", Shape::Integer(1, 1000), "erlang: number of phases."),
        key("branches", Shape::List(&Shape::Table(&BRANCH)), "hyperexponential: the exponentials."),
        key("values_s", Shape::List(&Shape::Number(NotNegative)), "empirical: values, each equally likely."),
        key(
            "points",
            Shape::List(&Shape::Table(&QUANTILE)),
            "quantiles: points from probability 0 to 1, linear between them.",
        ),
        key(
            "csv",
            Shape::Text,
            "empirical: CSV file with `value_s` and, if wanted, `count`; quantiles: with `probability` and `value_s`, or a histogram with `from_s`, `to_s` and `count`.",
        ),
        key("parts", Shape::List(&Shape::Table(&PART)), "mixture: the populations."),
        key(
            "pieces",
            Shape::List(&Shape::Table(&PIECE)),
            "hazard: rates of leaving, by ascending wait, the first from 0; the last has no end.",
        ),
        key("shift_s", Shape::Number(Positive), "All kinds but `never`: added to every value.").or(Words("0")),
    ],
};

/// Kinds of distributions.
pub(crate) const KINDS: &[&str] = &[
    "never",
    "constant",
    "uniform",
    "exponential",
    "lognormal",
    "gamma",
    "erlang",
    "weibull",
    "hyperexponential",
    "empirical",
    "quantiles",
    "mixture",
    "hazard",
];

/// One entry of `branches`.
pub(crate) static BRANCH: Table = Table {
    name: "branch",
    doc: "One exponential of a hyperexponential distribution.",
    keys: &[
        key("weight", Shape::Number(Positive), "Weight; weights need not sum to 1.").required(),
        key("mean_s", Shape::Number(Positive), "Mean.").required(),
    ],
};

/// One entry of `points` of a distribution.
pub(crate) static QUANTILE: Table = Table {
    name: "quantile",
    doc: "A point of a quantile function.",
    keys: &[
        key("probability", Shape::Number(Share), "Share of values at or below `value_s`.").required(),
        key("value_s", Shape::Number(NotNegative), "The quantile.").required(),
    ],
};

/// One entry of `parts`.
pub(crate) static PART: Table = Table {
    name: "part",
    doc: "One population of a mixture.",
    keys: &[
        key("weight", Shape::Number(Positive), "Weight; weights need not sum to 1.").required(),
        key("of", Shape::Table(&DISTRIBUTION), "Its distribution.").required(),
    ],
};

/// One entry of `pieces`.
pub(crate) static PIECE: Table = Table {
    name: "piece",
    doc: "A piece of constant hazard.",
    keys: &[
        key("from_s", Shape::Number(NotNegative), "Wait from which it holds.").required(),
        key("per_s", Shape::Number(NotNegative), "Rate of leaving per second.").required(),
    ],
};

/// Every table, in the order of the documentation.
pub(crate) static TABLES: &[&Table] = &[
    &SCENARIO,
    &RUN,
    &PRECISION,
    &SERVICE,
    &HOURS,
    &QUEUE,
    &RELAX,
    &SERVICE_LEVEL,
    &FLOW,
    &STEP,
    &OPTION,
    &CUSTOMERS,
    &ARRIVALS,
    &INTERVALS,
    &CURVE,
    &POINT,
    &DAY_FACTOR,
    &INTERVAL_FACTOR,
    &REDIAL,
    &MENU_SHARES,
    &HANDLING,
    &HOLD,
    &CONSULT,
    &TRANSFER,
    &OPERATORS,
    &SERVED_QUEUE,
    &STAFFING,
    &SHIFT,
    &BREAK,
    &BLENDING,
    &CAMPAIGN,
    &THRESHOLD,
    &DISTRIBUTION,
    &BRANCH,
    &QUANTILE,
    &PART,
    &PIECE,
];

/// The table of which a key is part, if there is exactly one: for a key written in the wrong table.
pub(crate) fn home_of(name: &str) -> Option<&'static Table> {
    let mut homes = TABLES.iter().filter(|table| table.key(name).is_some());
    let first = homes.next()?;
    homes.next().is_none().then_some(*first)
}
