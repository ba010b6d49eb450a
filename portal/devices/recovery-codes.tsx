import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { quantitySchema } from "../../api/http/inputs.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { getMultiFactor } from "../../core/devices/devices.ts";
import { makeRecoveryCodes, recoveryCodesFile } from "../../core/devices/recovery-codes.ts";
import { Problem } from "../../core/problem.ts";
import { confirmPage } from "../layout/confirm.tsx";
import { done } from "../layout/flash.ts";
import { badFields, field, type PortalContext, type PortalEnv, takeForm } from "../layout/form.ts";
import { cardPage, type Who, whoOf } from "../layout/layout.tsx";
import { Field, Notice } from "../layout/parts.tsx";
import { recentlyLoggedIn, signedIn } from "../layout/session.ts";

const PATH = "/devices/recovery-codes";
const NEW = `${PATH}/new`;

/** New recovery codes, shown once. */
export function recoveryCodePages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get(PATH, async (c) => {
    const session = await signedIn(c, deps);
    const shown = c.get("secrets");
    if (shown) return codesPage(c, await whoOf(deps, session), shown);
    const { enabled } = await getMultiFactor(deps, session);
    const once = "Recovery codes are shown only once, when they are made.";
    const then = "If you did not save yours, generate new ones.";
    return done(c, "/devices", enabled ? `${once} ${then}` : undefined);
  });

  app.get(NEW, async (c) => {
    const session = await recentlyLoggedIn(c, deps);
    const { enabled, recoveryCodes } = await getMultiFactor(deps, session);
    if (!enabled) throw new Problem("multi_factor_off", "Add and verify a device first.");
    return quantityPage(c, await whoOf(deps, session), recoveryCodes.remaining);
  });

  const unsure = "Your old codes may no longer work, so generate new ones now.";
  takeForm(app, PATH, { at: NEW, unsure }, async (c) => {
    const session = await signedIn(c, deps);
    const { success, data: quantity } = quantitySchema.safeParse(Number(field(c, "quantity")));
    if (!success) throw badFields({ quantity: "Choose 1 to 10 codes." });
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    const made = await makeRecoveryCodes(deps, session, quantity, origin);
    const file = recoveryCodesFile(deps.config.SERVICE_NAME, made);
    return done(c, PATH, undefined, [...made.codes, file]);
  });
}

/** Asks how many codes to make, and warns that this cancels the old ones. */
function quantityPage(c: PortalContext, who: Who, remaining: number) {
  const question = {
    title: "Generate Recovery Codes",
    action: PATH,
    button: "Generate Codes",
    cancel: "/devices",
  };
  return confirmPage(
    c,
    who,
    question,
    <>
      <p>Use a recovery code when you don't have your device. Each works once.</p>
      {remaining > 0 && (
        <Notice>
          You have {remaining} unused {remaining === 1 ? "code" : "codes"}. Generating new codes
          cancels the old ones.
        </Notice>
      )}
      <Field
        name="quantity"
        label="Quantity"
        faults={c.get("faults")}
        class="number"
        type="number"
        min="1"
        max="10"
        value="10"
        required
      />
    </>,
  );
}

function codesPage(c: PortalContext, who: Who, shown: string[]) {
  const [codes, text = ""] = [shown.slice(0, -1), shown.at(-1)];
  return cardPage(
    c,
    {
      title: "Your recovery codes",
      who,
      before: (
        <Notice>
          Save these codes now. You won't see them again. Any older codes no longer work.
        </Notice>
      ),
    },
    <>
      <p>
        Each code logs you in once, in place of a passcode. Store them somewhere safe, such as a
        password manager.
      </p>
      <ul class="codes secret" id="codes">
        {codes.map((code) => (
          <li>{code}</li>
        ))}
      </ul>
      <div class="actions">
        <a
          class="button"
          download="recovery-codes.txt"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}
        >
          Save your codes
        </a>
        <button type="button" class="second" data-copy="codes" hidden>
          Copy
        </button>
        <button type="button" class="second" data-print hidden>
          Print
        </button>
        <span id="told" role="status" />
        <a href="/devices">Done</a>
      </div>
    </>,
  );
}
