/* What a command shows: the same things as text and as JSON. */
#pragma once

#include "app/options.h"
#include "codec/settings.h"
#include "core/pass.h"

/* A plan, with or without what came of it. */
struct view {
    const struct options *options;
    const struct settings *settings;
    const struct pass *pass;
    bool applied; /* results belong to it */
    bool daemon;  /* a daemon of this host keeps the same organisation, and could be let do it */
};

/* Each returns false where memory ran short and a part is missing. */
bool view_plan_text(const struct view *view);
bool view_plan_json(const struct view *view);
bool view_list_text(const struct options *options, const struct invites *invites, int64_t now);
bool view_list_json(const struct invites *invites);
bool view_invite_text(const struct options *options, const struct invite *invite, int64_t now);
bool view_invite_json(const struct invite *invite);
