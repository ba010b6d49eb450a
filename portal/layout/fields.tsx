import type { Child } from "hono/jsx";
import { Field } from "./parts.tsx";
import type { Faults } from "./words.ts";

type Typed = { name?: string; label: string; hint?: Child; faults: Faults };

/** A user name as it is: no keyboard changes it. One's own is offered by the browser. */
export const UsernameField = ({ own, ...field }: Typed & { own?: true }) => (
  <Field
    name="username"
    {...field}
    autocomplete={own ? "username" : "off"}
    autocapitalize="none"
    spellcheck="false"
    required
  />
);

type Kind = "current-password" | "new-password" | "off";

/** A password: one's own, one that begins to count now, or somebody else's, which no browser keeps. */
export const PasswordField = ({ kind, ...field }: Typed & { kind: Kind }) => (
  <Field name="password" {...field} type="password" autocomplete={kind} required />
);

/** A password to be chosen, with the rule for it. */
export const NewPasswordField = (field: Omit<Typed, "hint">) => (
  <PasswordField {...field} kind="new-password" hint="At least 8 characters." />
);

/** An email address, which may be left empty. The service has the rule for it, and no browser another one. */
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
