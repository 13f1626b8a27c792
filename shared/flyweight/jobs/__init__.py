"""Jobs: many files scored by several processes, each file once, however often the job is killed and started again."""
