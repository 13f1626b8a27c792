"""Scheduled jobs: an image or a folder that scores the files of a store, in a cloud's batches, by cron or by systemd."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Scheduled job", handler="scheduled")
