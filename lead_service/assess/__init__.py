"""The self-assessment: score an organization's answers in the six steps, and diagnose them."""
