import type { Child } from "hono/jsx";
import type { SupportContact } from "../../config.ts";
import { newId } from "../../store/ids.ts";
import type { Faults } from "./words.ts";

type WithChildren = { children?: Child };

/** A form of the portal; sent twice it is done once. */
export function Form({ action, children }: WithChildren & { action: string }) {
  return (
    <form method="post" action={action}>
      <input type="hidden" name="once" value={newId()} />
      {children}
    </form>
  );
}

type FieldProps = {
  name: string;
  label: string;
  hint?: Child;
  faults: Faults;
  /** What stands in it at first. */
  value?: string | null;
  /** Attributes of the input beside these. */
  [attribute: string]: unknown;
};

/** A labelled input with its hint, what was typed before, and its error, which takes the focus. */
export function Field({ name, label, hint, faults, value, ...input }: FieldProps) {
  const error = faults.fields[name];
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${name}-error`} role="alert">
          {error}
        </p>
      )}
      <input
        id={name}
        name={name}
        value={faults.typed?.[name] ?? value ?? undefined}
        {...described(name, hint, error)}
        {...input}
        {...focused(error)}
      />
    </div>
  );
}

/** The attributes that tie a field to its hint and its error. */
export function described(name: string, hint: unknown, error: string | undefined) {
  const ids = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(" ");
  return { ...(ids && { "aria-describedby": ids }), ...(error && { "aria-invalid": "true" }) };
}

/** The field to be corrected takes the focus. */
const focused = (error: string | undefined) => (error ? { autofocus: true } : {});

type Attributes = { name?: string; faults: Faults; hint?: Child; label?: string };

/** Where a passcode or PIN is typed: phones offer the one that just came, digits are asked for. */
export function CodeField({ name = "code", label = "Code", hint, faults }: Attributes) {
  return (
    <Field
      name={name}
      label={label}
      hint={hint}
      faults={faults}
      class="code"
      autocomplete="one-time-code"
      inputmode="numeric"
      required
      autofocus
    />
  );
}

/** A message about the page as a whole; `bad` ones interrupt. */
export function Notice({
  id,
  kind,
  children,
}: WithChildren & { id?: string; kind?: "good" | "bad" }) {
  return (
    <div id={id} class={`notice ${kind ?? ""}`} role={kind === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}

/** A text in which the way on, such as the one to Support, is a link where it stands there. */
export function Linked({ text, contact }: { text: string; contact?: SupportContact }) {
  if (!contact?.href) return <>{text}</>;
  const [before = "", ...after] = text.split(contact.text);
  return (
    <>
      {before}
      {after.length > 0 && <a href={contact.href}>{contact.text}</a>}
      {after.join(contact.text)}
    </>
  );
}

/** What a browser without scripts has to do itself. */
export const Reload = () => <noscript> Reload the page to see whether it was sent.</noscript>;

/** "contact Support", with the way to it where one is set. */
export function ContactSupport({ contact }: { contact?: SupportContact }) {
  const text = contact ? `contact Support: ${contact.text}` : "contact Support";
  return <Linked text={text} contact={contact} />;
}

/** A box with its label and what it entails. */
export function Check({
  name,
  label,
  hint,
  faults,
  checked,
}: {
  name: string;
  label: string;
  hint: string;
  faults: Faults;
  checked: boolean;
}) {
  return (
    <div class="check">
      <input
        type="checkbox"
        id={name}
        name={name}
        checked={faults.typed ? Object.hasOwn(faults.typed, name) : checked}
        aria-describedby={`${name}-hint`}
      />
      <div>
        <label for={name}>{label}</label>
        <span class="quiet" id={`${name}-hint`}>
          {hint}
        </span>
      </div>
    </div>
  );
}

/** A point of time; in UTC, which a script turns into the reader's own. */
export function Time({ at }: { at: string }) {
  return (
    <time datetime={at} data-local>
      {at.slice(0, 16).replace("T", " ")} UTC
    </time>
  );
}
