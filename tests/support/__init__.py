"""Builders, references and stand-ins that tests share."""
