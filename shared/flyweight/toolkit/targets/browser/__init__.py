"""A folder of files for any static host: a page that answers in the browser, by CPython as WebAssembly."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Browser", handler="browser")
