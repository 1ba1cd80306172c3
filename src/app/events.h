/* Message ids of the events in the journal; systemd/inviterd.catalog explains each. */
#pragma once

#define EVENT_STARTED         "cc9e63c8013245949b64b3d84757d0e0"
#define EVENT_STOPPED         "a75ebae0598e47f9bd059bf886e5c33b"
#define EVENT_RELOADED        "41614e7222a1497c947cf096d0c3041a"
#define EVENT_CONFIG_INVALID  "0063d59d76be48d68501dea17e2b1ce3"
#define EVENT_MEMBERS_INVALID "4bbfd56c2f8c47e1801fe2cced80206f"
#define EVENT_KEY_INVALID     "a1973f48cd87455e9872cf6c0dde478e"
#define EVENT_PASS_DONE       "b5a348775ab84f029668e41eea7919bd"
#define EVENT_PASS_FAILED     "5f4b3bb26bcf437987f11513ef1bab6b"
#define EVENT_PLANNED         "fb71b7d4c62b49a387c933510b428580"
#define EVENT_WRITTEN         "c4c5195901da42bcaeb889e7e41e2f04"
#define EVENT_STEPPED         "69855d9c10b04c21a00ba860d33e785e"
#define EVENT_WRITE_FAILED    "ac40404722d64cd1bc32ed7aa668f22f"
#define EVENT_BLOCKED         "13e36533965a4486b603bac70a75bedf"
#define EVENT_ATTENTION       "26e90a7823834b60a9ba856420a6f3d0"
#define EVENT_STATE_TROUBLE   "9ab4260a3db04809bf3738cc198f5b51"
#define EVENT_CLOCK_SKEW      "b886a41b468245e1b390852faaf6801b"
