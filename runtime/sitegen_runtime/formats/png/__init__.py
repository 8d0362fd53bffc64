"""PNG files: what their chunks hold, whether their pixels are whole, and decoding what browsers decode differently."""
