import type { Child } from "hono/jsx";
import type { PortalContext } from "./form.ts";
import { page, type Who } from "./layout.tsx";
import { Form } from "./parts.tsx";

type Question = {
  /** The question, which names what it is about. */
  title: string;
  /** Where the answer is sent, and what goes with it. */
  action: string;
  hidden?: Record<string, string>;
  /** The button that says yes, in words of what is done. */
  button: string;
  /** Whether it can be taken back, and so is not marked as a danger. */
  safe?: boolean;
  /** Where no leads. */
  cancel: string;
};

/** Asks before something of weight, and says what it entails. */
export function confirmPage(
  c: PortalContext,
  who: Who,
  { title, action, hidden = {}, button, safe, cancel }: Question,
  children: Child,
) {
  return page(
    c,
    { title, who, narrow: true },
    <section class="card">
      <h1>{title}</h1>
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
      </Form>
    </section>,
  );
}
