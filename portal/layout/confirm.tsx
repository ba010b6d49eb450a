import type { Child } from "hono/jsx";
import type { PortalContext } from "./form.ts";
import { cardPage, type Who } from "./layout.tsx";
import { Form } from "./parts.tsx";

type Question = {
  /** The question, with the name of what it is about. */
  title: string;
  /** Where the form is sent, and its hidden fields. */
  action: string;
  hidden?: Record<string, string>;
  /** The label of the confirming button: what it does. */
  button: string;
  /** Whether this can be undone; then the button is not marked as a danger. */
  safe?: boolean;
  /** Where "Cancel" leads. */
  cancel: string;
};

/** Asks before an important action; `children` say what the action does. */
export function confirmPage(
  c: PortalContext,
  who: Who,
  { title, action, hidden = {}, button, safe, cancel }: Question,
  children: Child,
) {
  return cardPage(
    c,
    { title, who },
    <Form action={action}>
      {children}
      {Object.entries(hidden).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <div class="actions">
        <button type="submit" class={safe ? undefined : "danger"}>
          {button}
        </button>
        <a href={cancel}>Cancel</a>
      </div>
    </Form>,
  );
}
