"""What every phase of the AI roadmap shares. Importing it loads nothing."""
