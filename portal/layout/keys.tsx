import type { Child } from "hono/jsx";
import type { RelyingParty } from "../../core/webauthn/relying-party.ts";
import { badFields, type PortalContext } from "./form.ts";
import { Form } from "./parts.tsx";

type Asked = {
  rp: RelyingParty;
  /** Where the form goes, with the key's answer in the field `credential`. */
  action: string;
  button: string;
  children?: Child;
} & (
  | { creates: object }
  | {
      /** Where the script gets its options when they are needed. */
      from: string;
      /** Whether the browser also offers passkeys in the field of the user name. */
      autofill?: true;
    }
);

/**
 * A form that asks the browser for a security key or passkey when it is sent, and sends its answer.
 * The page must be made with `usesKeys`. The script shows the form; without it the page says what is
 * missing.
 */
export function KeyForm({ rp, action, button, children, ...asked }: Asked) {
  const data =
    "creates" in asked
      ? { "data-key": "startRegistration", "data-options": JSON.stringify(asked.creates) }
      : { "data-key": "startAuthentication", "data-from": asked.from };
  const autofill = "autofill" in asked && asked.autofill;
  return (
    <>
      <p data-scriptless class="quiet">
        Security keys and passkeys need JavaScript. Allow it for this site, and reload the page.
      </p>
      <div
        class="notice bad"
        id="key-said"
        role="alert"
        hidden
        {...wordsFor(rp)}
        {...("creates" in asked && { "data-notallowederror": NOT_ADDED })}
      />
      <Form action={action} hidden {...data} {...(autofill && { "data-autofill": "true" })}>
        <input type="hidden" name="credential" />
        {"from" in asked && <input type="hidden" name="request" />}
        {children}
        <div class="actions">
          <button type="submit" autofocus={!autofill} class={autofill ? "second" : undefined}>
            {button}
          </button>
        </div>
      </Form>
      {"creates" in asked && (
        <p>
          <a href="/devices">Verify later</a>
        </p>
      )}
    </>
  );
}

/** In place of what is said when no key answers. */
const NOT_ADDED = "No key was added. It was cancelled, or it took too long. Try again.";

/** Shown on the steps before, to browsers without JavaScript. */
export const KeysNeedScript = () => (
  <noscript>
    <p class="quiet">Security keys and passkeys need JavaScript. Allow it for this site first.</p>
  </noscript>
);

/** What is said for each error of the browser, by its name, and for a browser without keys. */
const wordsFor = ({ id, origins }: RelyingParty) => wordsAt(pageOf(origins) ?? id);

/** The first origin that is a page; others are apps. */
const pageOf = (origins: string[]) => origins.find((one) => one.startsWith("http"));

const wordsAt = (origin: string) => ({
  "data-notallowederror":
    "No key answered. It was cancelled, it took too long, or none of your keys is here. Try again.",
  "data-aborterror":
    "The browser ended the question, perhaps because of another window. Try again.",
  "data-invalidstateerror": "This key is registered for you already. Use another one.",
  "data-securityerror": `Keys cannot be used at this address. Open ${origin} instead.`,
  "data-notsupportederror": "This key is of a kind that cannot be used here. Use another one.",
  "data-typeerror": "The service did not answer. Wait a moment, then try again.",
  "data-constrainterror": "This key cannot do what is needed here. Use another one.",
  "data-unsupported": `This browser cannot use security keys or passkeys here. Use a current browser, and open ${origin} in it.`,
  "data-other": "Your browser could not use the key. Try again, or use another key.",
});

type Schema<T> = {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
};

/** The key's answer in the sent form. Throws `invalid_request`. */
export function credentialIn<T>(c: PortalContext, schema: Schema<T>): T {
  const text = c.get("form").get("credential") ?? "";
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw badFields({ answer: "Your browser did not send the key's answer. Try again." });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
