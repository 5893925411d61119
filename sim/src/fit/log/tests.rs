use super::*;
use crate::fit::test_data;
use jiff::civil::Weekday;

fn read(text: &str, mapping: &str) -> CallLog {
    let options = ReadOptions { mapping: Mapping::parse(mapping).unwrap(), ..ReadOptions::default() };
    CallLog::from_bytes("log.csv", text.as_bytes(), &options).unwrap()
}

#[test]
fn own_columns_under_other_names() {
    let log = read(
        "start,secs,talk,agent,why\n2024-01-31 09:30:05,0,61.5,Ann,answered\n2024-01-31 09:00:00,12,,,abandoned\n",
        "arrival=start,wait_s=secs,service_s=talk,operator=agent,outcome=why",
    );
    assert_eq!(log.rows, 2);
    assert_eq!(log.operators, ["Ann"]);
    let [first, second] = &log.calls[..] else { panic!("{:?}", log.calls) };
    assert_eq!((first.at_us, first.wait_us, first.service), (9 * 3600 * SECOND_US, 12 * SECOND_US, None));
    let start_us = (9 * 3600 + 1805) * SECOND_US;
    assert_eq!(second.service, Some(Service { start_us, length_us: 61_500_000, operator: Some(0) }));
}

#[test]
fn every_row_is_a_call_or_a_rejection_with_its_line() {
    let log = read(
        "date,arrival,wait_s,service_s,outcome,priority\n\
         2024-01-31,09:00:00,5,60,answered,1\n\
         2024-01-31,25:00:00,5,60,answered,1\n\
         2024-01-31,09:00:00,-5,60,answered,1\n\
         2024-01-31,09:00:00,5,99999,answered,1\n\
         2024-01-31,09:00:00,5,60,teleported,1\n\
         2024-01-31,09:00:00,5\n\
         2024-01-31,09:00:00,5,60,phantom,1\n\
         2024-02-30,09:00:00,5,60,answered,1\n",
        "",
    );
    assert_eq!(log.rows, log.calls.len() + log.rejections.len());
    let found: Vec<_> = log.rejections.iter().map(|r| (r.line, r.reason)).collect();
    assert_eq!(
        found,
        [
            (3, Reason::Malformed),
            (4, Reason::WaitOutOfRange),
            (5, Reason::ServiceOutOfRange),
            (6, Reason::UnknownOutcome),
            (7, Reason::Malformed),
            (8, Reason::Phantom),
            (9, Reason::Malformed),
        ]
    );
    assert_eq!(log.describe(&log.rejections[1]), "log.csv:4: wait out of range: -5 s, not in 0 to 3600 s");
    assert_eq!(log.rejections_by_reason()[0], (Reason::Phantom, 1));
}

#[test]
fn a_header_that_lacks_a_column_is_named() {
    let error = CallLog::from_bytes("log.csv", b"start,wait_s\n", &ReadOptions::default()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("log.csv:1: no column `arrival`"), "{text}");
    assert!(text.contains("start, wait_s"), "{text}");
}

#[test]
fn gzip_that_breaks_off_is_an_error_with_its_place() {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"arrival,wait_s,service_s\n2024-01-31T09:00:00,1,2\n").unwrap();
    let bytes = packed.finish().unwrap();
    let whole = std::env::temp_dir().join(format!("callfloor-log-{}.csv.gz", std::process::id()));
    std::fs::write(&whole, &bytes).unwrap();
    let log = CallLog::read(std::slice::from_ref(&whole), &ReadOptions::default()).unwrap();
    assert_eq!(log.calls.len(), 1);
    std::fs::write(&whole, &bytes[..bytes.len() - 6]).unwrap();
    let error = CallLog::read(std::slice::from_ref(&whole), &ReadOptions::default()).unwrap_err();
    std::fs::remove_file(&whole).unwrap();
    assert!(matches!(error, LogError::Io { .. }), "{error}");
}

#[test]
fn times_across_midnight_belong_to_the_day_of_the_call() {
    let log = read(
        "vru_line,call_id,customer,priority,type,date,vru_entry,vru_exit,vru_time,q_start,q_exit,q_time,outcome,ser_start,ser_exit,ser_time,server\n\
         A,1,,0,PS,1999-02-01,23:59:56,23:59:56,0,00:00:02,00:00:29,27,AGENT,00:00:29,00:00:58,29,A13\n",
        "",
    );
    assert_eq!(log.source, Source::AnonymousBank);
    let call = &log.calls[0];
    assert_eq!(call.at_us, (DAY_S + 2) * SECOND_US);
    assert_eq!(call.service.unwrap().start_us, (DAY_S + 29) * SECOND_US);
}

/// The check figures of the data's README: Sunday to Thursday, 07:00 to 24:00.
#[test]
fn anonymous_bank_check_figures() {
    let expected = [
        ("1999-01", 31_599, 27_065, 19, "10.90 57.99 40.09 37.66 51.90 185.15"),
        ("1999-02", 33_344, 28_668, 20, "13.20 59.75 45.79 42.77 50.41 177.63"),
        ("1999-03", 38_801, 33_960, 23, "24.18 77.23 93.38 96.12 30.14 186.38"),
        ("1999-09", 31_371, 27_270, 22, "8.92 46.48 39.81 36.23 61.40 193.88"),
    ];
    for (month, rows, calls, days, figures) in expected {
        let Some(path) = test_data(&format!("anonymous_bank_1999/{month}.csv.gz")) else { return };
        let log = CallLog::read(&[path], &ReadOptions::default()).unwrap();
        assert_eq!(log.rows, rows);
        assert_eq!(log.rows, log.calls.len() + log.rejections.len());
        let hours = 7 * 3600 * SECOND_US..24 * 3600 * SECOND_US;
        let weekend = [Weekday::Friday, Weekday::Saturday];
        let own: Vec<_> =
            log.calls.iter().filter(|c| hours.contains(&c.at_us) && !weekend.contains(&c.date.weekday())).collect();
        let n = own.len() as f64;
        let count = |wanted: &dyn Fn(&Call) -> bool| own.iter().filter(|c| wanted(c)).count() as f64;
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let served: Vec<_> = own.iter().filter(|c| c.service.is_some()).collect();
        let mut dates: Vec<_> = own.iter().map(|c| c.date).collect();
        dates.dedup();
        assert_eq!((own.len(), dates.len()), (calls, days), "{month}");
        let found = format!(
            "{:.2} {:.2} {:.2} {:.2} {:.2} {:.2}",
            100.0 * count(&|c| c.service.is_none()) / n,
            100.0 * count(&|c| c.wait_us > 0) / n,
            mean(own.iter().map(|c| c.wait_s()).collect()),
            mean(served.iter().map(|c| c.wait_s()).collect()),
            100.0 * count(&|c| c.service.is_some() && c.wait_us <= 20 * SECOND_US) / n,
            mean(served.iter().filter_map(|c| c.service_s()).filter(|s| *s > 0.0).collect()),
        );
        assert_eq!(found, figures, "{month}");
    }
}
