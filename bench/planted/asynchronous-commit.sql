-- What was answered is on no disk yet, and on no standby.
alter database atlas set synchronous_commit = off;
