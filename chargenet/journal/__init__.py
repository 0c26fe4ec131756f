"""Every accepted frame and its reply, durable before the reply leaves. The spine that all read models are rebuilt from."""
