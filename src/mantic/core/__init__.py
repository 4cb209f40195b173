"""Contracts that every other room stands on: schema, run, errors, registry, saved files."""
