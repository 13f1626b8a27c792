"""Cloudflare Workers: a Python Worker, which is CPython as WebAssembly on Cloudflare's network."""

from flyweight.toolkit.targets import Target

TARGET = Target(title="Cloudflare Workers", handler="cloudflare", cloud="cloudflare", shares="docker")
