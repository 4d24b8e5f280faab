//! Nothing that a client sends is judged in more than linear time: these values would take hours otherwise.

use super::*;
use std::time::{Duration, Instant};

const SIZE: usize = 1 << 18;

#[test]
fn long_values_are_judged_in_linear_time() {
    let begun = Instant::now();
    let context = context(1, 1, Sampled);
    for pattern in
        ["a", "0", ",", ";", "-", ":", "%3A", "=", "a=1,", "a=1;", "_dd.p.tid=1111111111111111,", " ;"]
    {
        let long = pattern.repeat(SIZE / pattern.len());
        for format in Format::ALL {
            for name in format.headers() {
                let mut headers = headers_of(&write(*format, &context, Sampled).unwrap());
                headers.replace(name.as_str(), long.as_bytes());
                let _ = read(*format, &headers);
                let _ = says(*format, &headers, &context);
                let _ = write_over(*format, &headers, &context, Sampled);
            }
        }
    }
    let root = format!("Root=1-00000000-000000000000000000000001{}", ";a=1".repeat(SIZE / 4));
    let headers = request(&[("x-amzn-trace-id", &root)]);
    assert_eq!(
        write_over(Format::Xray, &headers, &context, Sampled).unwrap()[0].1.as_bytes().len(),
        root.len() + 34
    );
    assert!(begun.elapsed() < Duration::from_secs(60));
}
