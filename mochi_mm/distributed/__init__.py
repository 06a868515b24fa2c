"""Rows, exchange and agreement across the ranks."""
