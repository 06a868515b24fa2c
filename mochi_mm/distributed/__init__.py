"""Distributed computation: rows, exchange and agreement across the ranks."""
