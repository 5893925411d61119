//! The formats of what `load` and `twin` write, as JSON Schema. Everything in them is always there; what has no value is null.

use callfloor_load::measures::{COUNTS, COUNTS_MADE, Kind};
use callfloor_measure::Metric;
use serde_json::{Map, Value, json};

/// A field: its name, its shape, and what it is.
type Field<'a> = (&'a str, Value, &'a str);

/// An object of exactly these fields.
fn object(description: &str, fields: &[Field<'_>]) -> Value {
    let names: Vec<&str> = fields.iter().map(|(name, ..)| *name).collect();
    let properties =
        fields.iter().map(|(name, shape, description)| ((*name).to_owned(), described(shape.clone(), description)));
    json!({
        "type": "object",
        "description": description,
        "properties": properties.collect::<Map<_, _>>(),
        "required": names,
        "additionalProperties": false,
    })
}

fn described(shape: Value, description: &str) -> Value {
    match shape {
        Value::Object(mut shape) => {
            shape.insert("description".into(), json!(description));
            Value::Object(shape)
        }
        other => other,
    }
}

fn document(title: &str, format: &str, description: &str, fields: &[Field<'_>], defs: &[(&str, Value)]) -> String {
    let mut all = vec![("format", json!({ "const": format }), "The format's name and version.")];
    all.extend(fields.iter().cloned());
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!(title));
    if let Value::Object(body) = object(description, &all) {
        schema.extend(body);
    }
    let defs: Map<String, Value> = defs.iter().map(|(name, shape)| ((*name).to_owned(), shape.clone())).collect();
    if !defs.is_empty() {
        schema.insert("$defs".into(), Value::Object(defs));
    }
    let mut text = serde_json::to_string_pretty(&Value::Object(schema)).unwrap_or_default();
    text.push('\n');
    text
}

fn whole() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn number() -> Value {
    json!({ "type": "number" })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn or_null(shape: Value) -> Value {
    json!({ "anyOf": [shape, { "type": "null" }] })
}

/// What `load --json` writes.
pub(super) fn load() -> String {
    let latencies: Map<String, Value> =
        Kind::ALL.iter().map(|kind| (kind.name().to_owned(), described(of("histogram"), kind.meaning()))).collect();
    let counts: Map<String, Value> =
        COUNTS.iter().map(|(name, meaning)| ((*name).to_owned(), described(whole(), meaning))).collect();
    let made: Map<String, Value> =
        COUNTS_MADE.iter().map(|(start, meaning)| (format!("^{start}[0-9]"), described(whole(), meaning))).collect();
    let measures = object(
        "What was measured. Whole numbers: parts merge by addition.",
        &[
            (
                "latencies",
                json!({ "type": "object", "properties": latencies, "additionalProperties": false }),
                "By kind, in microseconds of real time, each from the intended instant of its cause; absent where there is none.",
            ),
            (
                "counts",
                json!({ "type": "object", "properties": counts, "patternProperties": made, "additionalProperties": false }),
                "By name; absent is 0, but for `records`, which is absent where the server's records could not be read.",
            ),
            ("customers", of("traffic"), "SIP messages of customers."),
            ("telephones", of("traffic"), "SIP messages of telephones: operators' and those of parties outside."),
            ("customers_sound", of("sound"), "What customers said and heard."),
            ("operators_sound", of("sound"), "What operators and parties outside said and heard."),
        ],
    );
    document(
        "Callfloor load results",
        callfloor_load::FORMAT,
        "The results of `callfloor load`, complete or of some of its shards.",
        &[
            ("settings", of("settings"), "What the run was: all that is equal in the parts of one run."),
            (
                "parts",
                json!({ "type": "array", "items": of("part"), "minItems": 1 }),
                "What each process measured, by shard.",
            ),
            (
                "floor",
                json!({
                    "type": ["object", "null"],
                    "properties": { "format": { "const": "callfloor-results/1" } },
                    "required": ["format", "header", "replications"],
                }),
                "The floor as the server told it, in the form of `results` of `simulate --json` and in the scenario's time; null for a SIP \
                 system.",
            ),
            ("floor_of", whole(), "Which shard watched that floor; 0 where there is none."),
        ],
        &[
            (
                "settings",
                object(
                    "What the run was.",
                    &[
                        ("scenario", text(), "The scenario's name."),
                        ("seed", whole(), "The seed of its random streams."),
                        (
                            "replication",
                            whole(),
                            "Whose customers came: the simulator's replication of this number has the same.",
                        ),
                        ("target", text(), "What was put under load: `callfloor`, or a SIP URI."),
                        (
                            "speed",
                            json!({ "type": "number", "minimum": 1 }),
                            "Every duration of the scenario was divided by this.",
                        ),
                        ("pace", text(), "The pace in words."),
                        (
                            "legs",
                            list(of("leg")),
                            "The pace's parts, where rates were asked for; empty for the scenario's instants.",
                        ),
                        (
                            "shards",
                            json!({ "type": "integer", "minimum": 1 }),
                            "How many processes shared the customers.",
                        ),
                        ("sound", flag(), "Whether parties spoke and listened."),
                        (
                            "lag_limit_us",
                            whole(),
                            "A run whose 99th percentile of lag is above this is void, in microseconds.",
                        ),
                    ],
                ),
            ),
            (
                "leg",
                object(
                    "A part of a run in which the rate is constant or changes evenly.",
                    &[
                        ("length_us", whole(), "How long it lasts, in microseconds of real time."),
                        ("from_per_s", number(), "Contacts a second at its start."),
                        ("to_per_s", number(), "Contacts a second at its end."),
                    ],
                ),
            ),
            (
                "part",
                object(
                    "One process's part of the run.",
                    &[
                        ("shard", json!({ "type": "integer", "minimum": 1 }), "Which of the shards."),
                        ("began_us", json!({ "type": "integer" }), "When it began, in microseconds since 1970."),
                        ("lasted_us", whole(), "From its beginning to the end of its last customer, in microseconds."),
                        (
                            "asked_for_us",
                            whole(),
                            "From its beginning to the last instant at which a contact was due, in microseconds.",
                        ),
                        ("asked", whole(), "Contacts that were due in that time."),
                        ("processor_us", whole(), "Processor time of the whole process in the run, in microseconds."),
                        ("threads", whole(), "Threads that played."),
                        ("processors", whole(), "Processors of the machine."),
                        (
                            "offset",
                            or_null(object(
                                "The server's clock against this machine's.",
                                &[
                                    (
                                        "ahead_us",
                                        json!({ "type": "integer" }),
                                        "What the server's shows less what ours shows.",
                                    ),
                                    ("within_us", whole(), "How far that may be off."),
                                ],
                            )),
                            "The server's clock against this machine's, in microseconds; null for a SIP system.",
                        ),
                        ("measures", of("measures"), "What it measured."),
                        ("cut", or_null(text()), "Why it ended early, where it did: then the run is void."),
                        ("notes", list(text()), "What a reader must know."),
                    ],
                ),
            ),
            ("measures", measures),
            (
                "histogram",
                json!({
                    "type": "array",
                    "description": "[largest value in microseconds, number of values], then [bucket, number of values] for each bucket with any. \
                                    Bucket b below 128 is of the value b; from there on each power of two has 64 buckets of equal width: bucket \
                                    128 + 64·o + i begins at (64 + i)·2^(o + 1) and is 2^(o + 1) wide.",
                    "items": { "type": "array", "items": whole(), "minItems": 2, "maxItems": 2 },
                    "minItems": 1,
                }),
            ),
            (
                "traffic",
                object(
                    "Messages of SIP.",
                    &[
                        ("sent", whole(), "Messages sent, retransmissions among them."),
                        ("received", whole(), "Messages received, retransmissions among them."),
                        ("retransmitted", whole(), "Of those sent, once more because no answer came in time."),
                        ("received_again", whole(), "Of those received, seen before."),
                        (
                            "responses",
                            json!({ "type": "array", "items": whole(), "minItems": 6, "maxItems": 6 }),
                            "Responses received by class, 1xx to 6xx.",
                        ),
                        ("timeouts", whole(), "Requests without an answer in 32 s."),
                        ("unexpected", whole(), "Messages of no call that is known, or that cannot be read."),
                        ("send_errors", whole(), "Datagrams that the system did not take."),
                    ],
                ),
            ),
            (
                "sound",
                object(
                    "Audio.",
                    &[
                        ("streams", whole(), "Streams that were open."),
                        ("heard", whole(), "Of those, with at least one packet received."),
                        ("sent", whole(), "Packets sent."),
                        ("received", whole(), "Packets received."),
                        ("lost", whole(), "Packets that were to be received (RFC 3550) and were not."),
                        (
                            "jitter_us",
                            whole(),
                            "Sum over streams of the jitter (RFC 3550) at their end, in microseconds.",
                        ),
                        ("jitter_max_us", whole(), "The largest jitter of a stream at its end, in microseconds."),
                        ("audible", whole(), "Received packets with a voice or music in them."),
                        ("stray", whole(), "Packets from a far end that no stream has."),
                        ("send_errors", whole(), "Packets that the system did not take."),
                    ],
                ),
            ),
        ],
    )
}

/// What `load --find-rate --json` writes.
pub(super) fn load_search() -> String {
    let run = object(
        "A run of the search.",
        &[
            ("per_s", number(), "Contacts a second."),
            ("met", flag(), "Whether every threshold was met, and the run is not void."),
            ("confirms", flag(), "Whether it was to confirm."),
            ("void", or_null(text()), "Why it says nothing of the system, if so."),
        ],
    );
    document(
        "Callfloor search for the highest rate",
        callfloor_load::search::FORMAT,
        "What `callfloor load --find-rate` found.",
        &[
            ("scenario", text(), "The scenario's name."),
            ("target", text(), "What was put under load."),
            ("speed", json!({ "type": "number", "minimum": 1 }), "Every duration of the scenario was divided by this."),
            ("run_s", number(), "How long each run was, in seconds of real time."),
            ("thresholds", list(text()), "What was demanded of each run."),
            (
                "per_s",
                or_null(number()),
                "The highest rate that met the thresholds and was confirmed, in contacts a second.",
            ),
            ("missed_per_s", or_null(number()), "The lowest rate above it that did not."),
            ("stopped", or_null(text()), "Why the search ended before it had found or confirmed a rate, if so."),
            ("runs", list(run), "Every run, in order."),
        ],
        &[],
    )
}

/// What `twin --json` writes.
pub(super) fn twin() -> String {
    let metric = || json!({ "enum": Metric::NAMES });
    let row = object(
        "A figure in its columns.",
        &[
            ("metric", metric(), "The figure. A share is in [0, 1], a time in seconds of the scenario."),
            ("of", or_null(text()), "A queue or group; null: the whole floor."),
            ("theory", or_null(number()), "What theory says, where a model of it applies."),
            ("simulated", of("estimate"), "Of all simulated replications."),
            ("live", of("estimate"), "Of the live runs."),
            (
                "difference",
                or_null(of("estimate")),
                "Live less simulated over the replications that both have, paired.",
            ),
            (
                "without_delays",
                or_null(of("estimate")),
                "The same with the live system's measured delays in the simulation.",
            ),
            (
                "verdict",
                json!({ "enum": ["equal", "within-noise", "delays", "differs", "untested"] }),
                "Whether they differ beyond noise (95 %), and whether the measured delays account for it.",
            ),
            ("phase", or_null(text()), "The phase that weighs the most in it, where there is a difference to explain."),
        ],
    );
    let phase = object(
        "What the live system takes that a simulated one does not.",
        &[
            ("name", text(), "As in the results of a load run."),
            ("meaning", text(), "What it is."),
            ("count", whole(), "How often it was measured."),
            ("mean_ms", number(), "Its mean in milliseconds of real time."),
            ("scenario_s", number(), "What that is in the scenario's time, in seconds."),
            ("makes", list(metric()), "Which figures it makes larger."),
        ],
    );
    let estimate = object(
        "A figure with its interval.",
        &[
            ("value", number(), "The point estimate."),
            (
                "interval",
                or_null(object("At 95 %.", &[("low", number(), "Lower end."), ("high", number(), "Upper end.")])),
                "Its 95 % interval; null with fewer than two replications.",
            ),
            ("replications", whole(), "Number of replications behind it."),
        ],
    );
    document(
        "Callfloor twin",
        "callfloor-twin/1",
        "One scenario in theory, in simulation and live.",
        &[
            ("scenario", text(), "The scenario's name."),
            ("seed", whole(), "The seed of its random streams."),
            ("simulated_replications", whole(), "Replications that were simulated."),
            ("live_replications", whole(), "Of those, that were played live too."),
            (
                "speed",
                json!({ "type": "number", "minimum": 1 }),
                "Every duration of the live runs was divided by this.",
            ),
            ("theory_basis", text(), "Which model of theory applies, or why none does."),
            ("void", or_null(text()), "Why the live figures are not to be used, if so."),
            ("rows", list(of("row")), "The figures."),
            ("phases", list(of("phase")), "What the live system takes, by phase."),
            ("notes", list(text()), "What a reader must know."),
        ],
        &[("row", row), ("phase", phase), ("estimate", estimate)],
    )
}
