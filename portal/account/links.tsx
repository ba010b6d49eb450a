import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import {
  type Link,
  linkCloudAccount,
  linkingAccount,
  listLinkedBy,
  listLinks,
} from "../../core/account/links.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { requireRecentLogin } from "../../core/sessions/recent-login.ts";
import { getAccount } from "../../store/postgres/accounts.ts";
import { PasswordField, UsernameField } from "../layout/fields.tsx";
import { done } from "../layout/flash.ts";
import { field, type PortalContext, type PortalEnv, takeForm } from "../layout/form.ts";
import { cardPage, page, type Who } from "../layout/layout.tsx";
import { Form } from "../layout/parts.tsx";
import { signedInAs } from "../layout/roles.ts";

const PATH = "/account/links";

/** The Cloud accounts linked to an administrator's account, and linking another. */
export function linkPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get(PATH, async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    const { accountId } = who.session;
    const isCloud = (await getAccount(deps.db, accountId))?.kind === "cloud";
    if (isCloud) return linkedByPage(c, who, await listLinkedBy(deps, accountId));
    return listPage(c, who, await listLinks(deps, accountId));
  });

  app.get(`${PATH}/new`, async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    await linkingAccount(deps, who.session);
    await requireRecentLogin(deps, who.session);
    return newPage(c, who);
  });

  const about = { invalid_credentials: "password" };
  takeForm(app, PATH, { at: `${PATH}/new`, about }, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    // As it was typed: spaces count.
    const password = c.get("form").get("password") ?? "";
    const credentials = { username: field(c, "username"), password };
    const { name } = await linkCloudAccount(deps, session, credentials, origin);
    return done(c, PATH, `The Cloud account ${name} is linked.`);
  });
}

function listPage(c: PortalContext, who: Who, links: Link[]) {
  return page(
    c,
    { title: "Linked accounts", who },
    <>
      <h1>Linked accounts</h1>
      <section class="card">
        <div class="head">
          <h2>Cloud accounts</h2>
          <a class="button small" href={`${PATH}/new`}>
            Link a Cloud account
          </a>
        </div>
        {links.length === 0 && <p>No linked accounts yet.</p>}
        <ul class="rows">
          {links.map(({ accountId, name }) => (
            <li>
              <div>
                {name}
                <div class="quiet">ID {accountId}</div>
              </div>
            </li>
          ))}
        </ul>
        <p class="quiet">
          A Cloud account is an account of its own, with its own users. Users of a Cloud account set
          up multi-factor authentication themselves, with their own user name and password.
        </p>
      </section>
      <Back />
    </>,
  );
}

const Back = () => (
  <p>
    <a href="/account">Account settings</a>
  </p>
);

/** The page of a Cloud account, which links no accounts itself. */
function linkedByPage(c: PortalContext, who: Who, links: Link[]) {
  return page(
    c,
    { title: "Linked accounts", who },
    <>
      <h1>Linked accounts</h1>
      <section class="card">
        <h2>Linked by</h2>
        <p>
          {links.length === 0
            ? "Not linked by any account yet."
            : `Linked by ${links.map(({ name }) => name).join(", ")}.`}
        </p>
        <p class="quiet">
          This is a Cloud account. Another account links it by the user name and password of an
          administrator of this account.
        </p>
      </section>
      <Back />
    </>,
  );
}

function newPage(c: PortalContext, who: Who) {
  const faults = c.get("faults");
  return cardPage(
    c,
    { title: "Link a Cloud account", who },
    <>
      <p>
        Enter the user name and password of an administrator of the Cloud account. We use the
        password once and do not keep it. Both accounts will show the link in their activity.
      </p>
      <p>
        A Cloud account can be linked when its two-factor setting is Optional, and none of its
        administrators has a device or is required to have one. After linking, you can turn
        multi-factor authentication on again in the Cloud account.
      </p>
      <Form action={PATH}>
        <UsernameField label="User name in the Cloud account" faults={faults} />
        <PasswordField kind="off" label="Password in the Cloud account" faults={faults} />
        <div class="actions">
          <button type="submit">Link the account</button>
          <a href={PATH}>Cancel</a>
        </div>
      </Form>
    </>,
  );
}
