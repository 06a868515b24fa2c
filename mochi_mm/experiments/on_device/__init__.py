"""What is measured on the day a GPU is there: jobs in processes of their own, and their stages."""
