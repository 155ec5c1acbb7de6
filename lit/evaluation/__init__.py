"""Runs a suite: a dataset through the towers, classes into words, figures into a report."""
