//! Tells on standard error how far a long command is: a moving line on a terminal, plain lines elsewhere.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shortest time between two plain lines about the same step.
const PLAIN_PAUSE: Duration = Duration::from_secs(5);

/// The progress of one command.
#[derive(Debug)]
pub struct Progress {
    began: Instant,
    line: Line,
    last_plain: RefCell<Option<(Instant, String)>>,
}

/// Where progress is shown; what else speaks to the user goes through a clone of it.
#[derive(Debug, Clone)]
pub struct Line {
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Line {
    /// A line that stays.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None if self.quiet => {}
            None => eprintln!("{line}"),
        }
    }

    /// Takes the moving line away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress {
    /// Starts the clock. `quiet` keeps it to itself.
    pub fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {elapsed:>4} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { began: Instant::now(), line: Line { bar, quiet }, last_plain: RefCell::new(None) }
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Where it is shown.
    pub fn line(&self) -> Line {
        self.line.clone()
    }

    /// What is being done now.
    pub fn doing(&self, what: &str) {
        if let Some(bar) = &self.line.bar {
            bar.set_message(what.to_owned());
            return;
        }
        let mut last = self.last_plain.borrow_mut();
        let due = last.as_ref().is_none_or(|(at, said)| said != what && at.elapsed() >= PLAIN_PAUSE);
        if due && !self.line.quiet {
            eprintln!("  ... {what}");
            *last = Some((Instant::now(), what.to_owned()));
        }
    }

    /// A step that is done, with the time it was done at.
    pub fn done(&self, what: &str) {
        self.say(&format!("[{:5.1} s] {what}", self.elapsed().as_secs_f64()));
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        self.line.say(line);
        *self.last_plain.borrow_mut() = None;
    }

    /// Runs something that prints, with the moving line out of its way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.line.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the moving line away.
    pub fn clear(&self) {
        self.line.clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
