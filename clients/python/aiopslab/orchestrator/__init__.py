"""Runs agents on problems."""

from .orchestrator import Orchestrator

__all__ = ["Orchestrator"]
