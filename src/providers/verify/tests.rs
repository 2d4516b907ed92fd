//! Tests of verification (written next).
