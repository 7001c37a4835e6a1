"""What libraries ask about tracing by dispatch, which there is none of."""
