/* What the service manager is told (sd_notify(3)); nothing happens when there is none. */
#pragma once

/* READY=1; the status line stays as it was told last. */
void notify_ready(void);
/* RELOADING=1 with MONOTONIC_USEC, as Type=notify-reload wants it; notify_ready() must follow. */
void notify_reloading(void);
void notify_stopping(void);
/* A status line that is true from now on. */
void notify_status(const char *status);
