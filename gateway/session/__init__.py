"""The one journey of a statement: judge, record, act. No I/O."""
