"""Speech engines; ``protocol`` says what one must do."""
