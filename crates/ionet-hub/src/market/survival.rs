//! How likely devices are to serve a hire to its end.
