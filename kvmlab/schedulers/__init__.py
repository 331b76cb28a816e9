"""Five schedulers over one machine: a clock, a fixed schedule, chance, a person, all schedules."""
