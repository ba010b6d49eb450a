import type { CoreDeps } from "../../core/deps.ts";
import { type UnverifiedOf, unverifiedDevice } from "../../core/devices/devices.ts";
import { Problem } from "../../core/problem.ts";
import type { Method } from "../../store/methods.ts";
import { done } from "../layout/flash.ts";
import type { PortalContext } from "../layout/form.ts";
import { whoOf } from "../layout/layout.tsx";
import { Field, Form } from "../layout/parts.tsx";
import { signedIn } from "../layout/session.ts";
import type { Faults } from "../layout/words.ts";

/**
 * The unverified device in the page's address. Throws `device_not_found`, which says `missing`, for
 * one of another kind.
 */
export async function unverifiedOf<K extends Method>(
  c: PortalContext,
  deps: CoreDeps,
  kind: K,
  missing: string,
) {
  const session = await signedIn(c, deps, { setup: true });
  const device = await unverifiedDevice(deps, session, c.req.param("id") ?? "");
  if (device.type !== kind) throw new Problem("device_not_found", missing);
  return { who: await whoOf(deps, session), device: device as UnverifiedOf<K> };
}

/** Where a user goes on after an app or a key is verified. */
export function afterVerified(c: PortalContext, { signedOut }: { signedOut: boolean }) {
  // If this ended the session, the login page says so.
  if (signedOut) return c.redirect("/devices", 303);
  return done(c, "/devices", "Device verified. You can use it from your next login.");
}

/** The first step of an app's or a key's set-up: its nickname. */
export const NameForm = ({
  action,
  hint,
  button,
  faults,
}: {
  action: string;
  hint: string;
  button: string;
  faults: Faults;
}) => (
  <Form action={action}>
    <Field
      name="name"
      label="Device nickname"
      hint={hint}
      faults={faults}
      autocomplete="off"
      required
    />
    <div class="actions">
      <button type="submit">{button}</button>
      <a href="/devices">Cancel</a>
    </div>
  </Form>
);
