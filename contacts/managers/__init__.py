"""Figures and pictures for managers."""
