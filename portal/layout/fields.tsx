import type { Child } from "hono/jsx";
import type { Limits } from "../../config.ts";
import { lengthRule } from "../../core/users/password-rule.ts";
import { Field } from "./parts.tsx";
import type { Faults } from "./words.ts";

type Typed = { name?: string; label: string; hint?: Child; faults: Faults };

/** What browsers offer in the field of one's own user name: the saved name, perhaps passkeys too. */
const OFFERS = { alone: "username", "or passkey": "username webauthn" };

/** A user name; keyboards do not change what is typed. `own`: the user's own, to log in with. */
export const UsernameField = ({ own, ...field }: Typed & { own?: keyof typeof OFFERS }) => (
  <Field
    name="username"
    {...field}
    autocomplete={own ? OFFERS[own] : "off"}
    autocapitalize="none"
    spellcheck="false"
    required
  />
);

type Kind = "current-password" | "new-password" | "off";

/**
 * A password: the user's current one, a new one, or another account's ("off"), which no browser
 * saves.
 */
export const PasswordField = ({ kind, ...field }: Typed & { kind: Kind }) => (
  <Field name="password" {...field} type="password" autocomplete={kind} required />
);

/** A field for a new password, with its rule. */
export const NewPasswordField = ({
  limits,
  ...field
}: Omit<Typed, "hint"> & { limits: Limits }) => (
  <PasswordField {...field} kind="new-password" hint={`Use ${lengthRule(limits)}.`} />
);

/**
 * An email address, optional. The service alone validates it, because browsers have other rules.
 */
export const EmailField = ({ own, value, ...field }: Typed & { own?: true; value?: string }) => (
  <Field
    name="email"
    {...field}
    value={value}
    type="text"
    inputmode="email"
    autocapitalize="none"
    spellcheck="false"
    autocomplete={own ? "email" : "off"}
  />
);
