"""What happened, written so that nobody can change it unseen."""
