"""Evidence: several settings and seeds at one budget, and what their figures say."""
