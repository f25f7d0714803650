//! What commands print: one JSON document with `--json`, else text for a person.

use std::io::Write;

use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use ionet_types::MicroUsd;
use ionet_types::money::decimal;
use serde::Serialize;

/// Where answers go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Print JSON.
    pub json: bool,
}

impl Output {
    /// Prints a command's answer: `value` itself with `--json`, else its text.
    pub fn answer<T: Serialize>(self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        let shown = if self.json { serde_json::to_string_pretty(value)? } else { text(value) };
        print_line(&shown)
    }
}

/// Prints to standard output; a reader that has left is no error.
pub fn print_line(text: &str) -> Result<()> {
    print_raw(&format!("{text}\n"))
}

/// Prints to standard output as it is.
pub fn print_raw(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// A table with a heading and no lines around it, as wide as it needs to be.
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    table_with_amounts(headings, &[], rows)
}

/// The same with these columns aligned to the right, as amounts are.
pub fn table_with_amounts(headings: &[&str], amounts: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(headings);
    let mut empty = true;
    for row in rows {
        table.add_row(row);
        empty = false;
    }
    if empty {
        return "none".to_owned();
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if amounts.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    trim(&table.to_string())
}

/// Names and values, one below the other.
pub fn fields(fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name:<width$}  {value}")).collect();
    trim(&lines.join("\n"))
}

fn trim(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A moment, in UTC.
pub fn moment(unix_secs: i64) -> String {
    jiff::Timestamp::from_second(unix_secs).map_or_else(|_| unix_secs.to_string(), |at| at.to_string())
}

/// Dollars.
pub fn usd(amount: MicroUsd) -> String {
    format!("{} USD", decimal(amount.0, 6))
}

/// The first and last characters of a long name.
pub fn short(name: &str) -> String {
    if name.chars().count() <= 13 {
        return name.to_owned();
    }
    let head: String = name.chars().take(6).collect();
    let tail: Vec<char> = name.chars().rev().take(6).collect();
    format!("{head}…{}", tail.into_iter().rev().collect::<String>())
}

/// A value's name on the wire.
pub fn name_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(other) => other.to_string(),
        Err(_) => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_fields_line_up() {
        assert_eq!(
            table(&["id", "paid"], [vec!["a".to_owned(), "1 IO".to_owned()], vec!["longer".to_owned(), "12 IO".to_owned()]]),
            " id      paid\n a       1 IO\n longer  12 IO".replace("\n ", "\n").trim_start()
        );
        assert_eq!(table(&["id"], []), "none");
        assert_eq!(fields(&[("id", "7".into()), ("status", "paid".into())]), "id      7\nstatus  paid");
    }

    #[test]
    fn long_names_are_shortened_and_moments_are_utc() {
        assert_eq!(short("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"), "5eykt4…dw2N9d");
        assert_eq!(short("short"), "short");
        assert_eq!(moment(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(moment(i64::MAX), i64::MAX.to_string());
        assert_eq!(usd(MicroUsd(470_350)), "0.47035 USD");
    }
}
