//! Whole examinations: honest devices pass, lying ones are caught, and the evidence shows it.

mod common;
mod evidence;
mod garbage;
mod honest;
mod impostors;
mod liars;
mod sharing;
