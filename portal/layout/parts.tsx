import type { Child } from "hono/jsx";
import type { SupportContact } from "../../config.ts";
import { newId } from "../../store/ids.ts";
import type { Faults } from "./words.ts";

type WithChildren = { children?: Child };

type FormProps = WithChildren & {
  action: string;
  hidden?: true;
  [data: `data-${string}`]: string;
};

/** A form of the portal; if it is sent twice, it runs once. */
export function Form({ children, ...attributes }: FormProps) {
  return (
    <form method="post" {...attributes}>
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
  /** The initial value. */
  value?: string | null;
  /** Further attributes of the input. */
  [attribute: string]: unknown;
};

/**
 * A labelled input with its hint, what was typed before, and its error. With an error it has the
 * focus.
 */
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

/**
 * A field for a passcode or PIN: phones offer the code that just arrived, and show a keypad of
 * digits.
 */
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

/** A message about the whole page; screen readers interrupt for `bad` ones. */
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

/** A text in which the contact's words, such as the way to Support, become a link. */
export function Linked({ text, contact }: { text: string; contact?: SupportContact }) {
  if (!contact?.href) return <WithTimes text={text} />;
  const [before = "", ...after] = text.split(contact.text);
  return (
    <>
      <WithTimes text={before} />
      {after.length > 0 && <a href={contact.href}>{contact.text}</a>}
      <WithTimes text={after.join(contact.text)} />
    </>
  );
}

/** A hint for browsers without scripts. */
export const Reload = () => <noscript> Reload the page to see whether it was sent.</noscript>;

/** "contact Support", with the contact if one is configured. */
export function ContactSupport({ contact }: { contact?: SupportContact }) {
  const text = contact ? `contact Support: ${contact.text}` : "contact Support";
  return <Linked text={text} contact={contact} />;
}

/** A checkbox with its label and a hint. */
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

const MINUTE = /(\d{4}-\d\d-\d\d \d\d:\d\d) UTC/;

/** A text in which the times that `minuteOf` wrote look like all other times of the page. */
export function WithTimes({ text }: { text: string }) {
  const parts = text.split(MINUTE);
  return (
    <>{parts.map((part, n) => (n % 2 ? <Time at={`${part.replace(" ", "T")}:00Z`} /> : part))}</>
  );
}

/** A time in UTC; a script changes it to the reader's time zone. */
export function Time({ at }: { at: string }) {
  return (
    <time datetime={at} data-local>
      {at.slice(0, 16).replace("T", " ")} UTC
    </time>
  );
}
