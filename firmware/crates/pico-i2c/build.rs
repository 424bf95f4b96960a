//! Which workload is built: TRACECHECK_SCENARIO, TRACECHECK_SPEED_HZ, TRACECHECK_SEED in the environment.

use std::{env, fs, path::PathBuf};

const SCENARIOS: &[(&str, &str)] = &[
    ("writes", "Writes"),
    ("reads", "Reads"),
    ("write-read", "WriteRead"),
    ("nack-address", "NackAddress"),
    ("nack-data", "NackData"),
    ("mixed", "Mixed"),
    ("busy", "Busy"),
    ("cancel", "Cancel"),
    ("timeout", "Timeout"),
    ("eeprom", "Eeprom"),
    ("blocking", "Blocking"),
];

fn main() {
    for name in ["TRACECHECK_SCENARIO", "TRACECHECK_SPEED_HZ", "TRACECHECK_SEED"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    println!("cargo::rerun-if-changed=memory.x");
    let asked = env::var("TRACECHECK_SCENARIO").unwrap_or("mixed".into());
    let Some((_, scenario)) = SCENARIOS.iter().find(|(name, _)| *name == asked) else {
        let names: Vec<_> = SCENARIOS.iter().map(|(name, _)| *name).collect();
        panic!(
            "TRACECHECK_SCENARIO={asked}: there is no such scenario; one of {}",
            names.join(", ")
        );
    };
    let number = |name: &str, otherwise: u32| -> u32 {
        env::var(name).map_or(otherwise, |text| {
            text.parse().unwrap_or_else(|_| panic!("{name}={text}: give a number"))
        })
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    let chosen = format!(
        "const SCENARIO: Scenario = Scenario::{scenario};\nconst SPEED_HZ: u32 = {};\nconst SEED: u32 = {};\n",
        number("TRACECHECK_SPEED_HZ", 400_000),
        number("TRACECHECK_SEED", 1),
    );
    fs::write(out.join("chosen.rs"), chosen).unwrap();
    fs::copy("memory.x", out.join("memory.x")).unwrap();
    println!("cargo::rustc-link-search={}", out.display());
}
