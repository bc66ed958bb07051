"""What programs may do beside running a task: submit, follow, stop, the library; by Gradio's API and MCP."""
