//! The files that make the agent a service. Pure.

use std::fmt::Write as _;

use super::Program;

/// A systemd unit. `system`: for the machine; else for one user.
///
/// `KillMode=process`: a customer's work is not the agent's to end; the next agent finds it again.
pub fn systemd_unit(program: &Program, system: bool) -> String {
    let words = std::iter::once(program.binary.display().to_string()).chain(program.arguments.iter().cloned());
    let command: Vec<String> = words.map(|word| systemd_word(&word, true)).collect();
    let mut environment = String::new();
    for (name, value) in &program.environment {
        // Writing to a string cannot fail.
        let _ = writeln!(environment, "Environment={}", systemd_word(&format!("{name}={value}"), false));
    }
    let wanted_by = if system { "multi-user.target" } else { "default.target" };
    format!(
        "[Unit]\n\
         Description=ionet agent: lends this machine to a network\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         ExecStart={}\n\
         {environment}\
         Restart=always\n\
         RestartSec=5\n\
         KillMode=process\n\
         TimeoutStopSec=30\n\
         LimitNOFILE=65536\n\
         UMask=0077\n\
         \n\
         [Install]\n\
         WantedBy={wanted_by}\n",
        command.join(" ")
    )
}

/// A word as systemd reads it back: quoted, its specifiers escaped, and in commands its variables, too.
fn systemd_word(word: &str, is_command: bool) -> String {
    let mut quoted = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '%' => quoted.push_str("%%"),
            '$' if is_command => quoted.push_str("$$"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A launchd property list for one user, or for the machine.
///
/// `AbandonProcessGroup`: a customer's work is not the agent's to end; the next agent finds it again.
pub fn launchd_plist(program: &Program, label: &str, log: &str) -> String {
    let words = std::iter::once(program.binary.display().to_string()).chain(program.arguments.iter().cloned());
    let (mut arguments, mut environment) = (String::new(), String::new());
    for word in words {
        // Writing to a string cannot fail.
        let _ = writeln!(arguments, "        <string>{}</string>", xml(&word));
    }
    for (name, value) in &program.environment {
        let _ = writeln!(environment, "        <key>{}</key>\n        <string>{}</string>", xml(name), xml(value));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n\
         <dict>\n    <key>Label</key>\n    <string>{label}</string>\n    \
         <key>ProgramArguments</key>\n    <array>\n{arguments}    </array>\n    \
         <key>EnvironmentVariables</key>\n    <dict>\n{environment}    </dict>\n    \
         <key>RunAtLoad</key>\n    <true/>\n    \
         <key>KeepAlive</key>\n    <true/>\n    \
         <key>ThrottleInterval</key>\n    <integer>5</integer>\n    \
         <key>AbandonProcessGroup</key>\n    <true/>\n    \
         <key>Umask</key>\n    <integer>63</integer>\n    \
         <key>StandardErrorPath</key>\n    <string>{log}</string>\n\
         </dict>\n</plist>\n",
        label = xml(label),
        log = xml(log),
    )
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn program() -> Program {
        Program {
            binary: "/usr/local/bin/ionet".into(),
            arguments: ["agent", "run", "--agent-dir", "/home/a b/100% \"x\" $HOME <&>"].map(str::to_owned).to_vec(),
            environment: vec![("IONET_LOG".to_owned(), "info".to_owned())],
        }
    }

    #[test]
    fn the_units_are_these() {
        insta::assert_snapshot!("systemd_system", systemd_unit(&program(), true));
        insta::assert_snapshot!("systemd_user", systemd_unit(&program(), false));
        insta::assert_snapshot!("launchd", launchd_plist(&program(), "org.ionet.agent", "/tmp/agent.log"));
    }

    /// Reads a word back as systemd does.
    fn unquoted(quoted: &str) -> String {
        let mut inner = quoted.strip_prefix('"').unwrap().strip_suffix('"').unwrap().chars();
        let mut word = String::new();
        while let Some(c) = inner.next() {
            word.push(match c {
                '\\' => match inner.next().unwrap() {
                    'n' => '\n',
                    escaped => escaped,
                },
                '%' | '$' => {
                    assert_eq!(inner.next(), Some(c), "a specifier or variable was left in");
                    c
                }
                '"' => panic!("a quote was left in"),
                c => c,
            });
        }
        word
    }

    proptest! {
        #[test]
        fn any_word_comes_back_as_it_was(word in "[a-z \"'\\\\%$\n<&/]{0,30}") {
            prop_assert_eq!(unquoted(&systemd_word(&word, true)), word.clone());
            let line = format!("x={word}");
            prop_assert!(!systemd_word(&line, false).trim_matches('"').contains('\n'));
            prop_assert!(!xml(&word).contains('<'));
        }
    }
}
