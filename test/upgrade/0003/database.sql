
CREATE SCHEMA drizzle;
CREATE FUNCTION public.events_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
	RAISE EXCEPTION 'events are append-only';
END
$$;
CREATE FUNCTION public.events_queue() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
	INSERT INTO "event_queue" ("event_id") VALUES (NEW."id");
	RETURN NULL;
END
$$;
CREATE TABLE drizzle.__drizzle_migrations (
    id integer NOT NULL,
    hash text NOT NULL,
    created_at bigint
);
CREATE SEQUENCE drizzle.__drizzle_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE drizzle.__drizzle_migrations_id_seq OWNED BY drizzle.__drizzle_migrations.id;
CREATE TABLE public.account_links (
    account_id text NOT NULL,
    linked_account_id text NOT NULL,
    linked_by text NOT NULL,
    created_at timestamp(3) with time zone NOT NULL,
    CONSTRAINT account_links_other CHECK ((account_id <> linked_account_id))
);
CREATE TABLE public.accounts (
    id text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    requirement text DEFAULT 'optional'::text NOT NULL,
    enforce_after timestamp(3) with time zone,
    policy_version integer DEFAULT 0 NOT NULL,
    created_at timestamp(3) with time zone NOT NULL,
    api_keys_bypass_mfa boolean DEFAULT false NOT NULL,
    enabling_is_own_call boolean DEFAULT false NOT NULL,
    CONSTRAINT accounts_grace CHECK (((enforce_after IS NULL) OR (requirement = 'required'::text))),
    CONSTRAINT accounts_kind CHECK ((kind = ANY (ARRAY['panel'::text, 'cloud'::text]))),
    CONSTRAINT accounts_requirement CHECK ((requirement = ANY (ARRAY['optional'::text, 'required'::text])))
);
CREATE TABLE public.api_keys (
    user_id text NOT NULL,
    hash text NOT NULL,
    created_at timestamp(3) with time zone NOT NULL
);
CREATE TABLE public.devices (
    id text NOT NULL,
    user_id text NOT NULL,
    type text NOT NULL,
    name text,
    country_code text,
    phone_number text,
    secret text,
    verified_at timestamp(3) with time zone,
    created_at timestamp(3) with time zone NOT NULL,
    aside_at timestamp(3) with time zone,
    CONSTRAINT devices_aside CHECK ((num_nonnulls(verified_at, aside_at) < 2)),
    CONSTRAINT devices_e164 CHECK ((phone_number ~ '^\+[1-9][0-9]{1,14}$'::text)),
    CONSTRAINT devices_fields CHECK (
CASE type
    WHEN 'sms'::text THEN ((num_nonnulls(country_code, phone_number) = 2) AND (num_nulls(name, secret) = 2))
    WHEN 'otp'::text THEN ((num_nonnulls(name, secret) = 2) AND (num_nulls(country_code, phone_number) = 2))
    ELSE NULL::boolean
END),
    CONSTRAINT devices_type CHECK ((type = ANY (ARRAY['sms'::text, 'otp'::text])))
);
CREATE TABLE public.event_queue (
    event_id bigint NOT NULL
);
CREATE TABLE public.events (
    id bigint NOT NULL,
    key text NOT NULL,
    at timestamp(3) with time zone NOT NULL,
    account_id text NOT NULL,
    user_id text,
    actor_id text,
    type text NOT NULL,
    ip text,
    user_agent text,
    workflow_id text,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);
ALTER TABLE public.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.recovery_codes (
    user_id text NOT NULL,
    hash text NOT NULL,
    set_id text NOT NULL,
    created_at timestamp(3) with time zone NOT NULL,
    used_at timestamp(3) with time zone,
    used_by text,
    expires_at timestamp(3) with time zone,
    CONSTRAINT recovery_codes_use CHECK (((used_at IS NULL) = (used_by IS NULL)))
);
CREATE TABLE public.users (
    id text NOT NULL,
    account_id text NOT NULL,
    username text NOT NULL,
    email text,
    password_hash text NOT NULL,
    role text NOT NULL,
    default_method text,
    locked_at timestamp(3) with time zone,
    last_login_at timestamp(3) with time zone,
    created_at timestamp(3) with time zone NOT NULL,
    requirement text,
    CONSTRAINT users_default_method CHECK ((default_method = ANY (ARRAY['sms'::text, 'otp'::text]))),
    CONSTRAINT users_requirement CHECK ((requirement = ANY (ARRAY['optional'::text, 'required'::text]))),
    CONSTRAINT users_role CHECK ((role = ANY (ARRAY['member'::text, 'administrator'::text, 'support'::text])))
);
CREATE TABLE public.webhook_deliveries (
    webhook_id text NOT NULL,
    event_id bigint NOT NULL,
    state text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    last_outcome text,
    last_attempt_at timestamp(3) with time zone,
    created_at timestamp(3) with time zone NOT NULL
);
CREATE TABLE public.webhooks (
    id text NOT NULL,
    account_id text NOT NULL,
    url text NOT NULL,
    secret text NOT NULL,
    types text[],
    disabled_for text,
    created_by text NOT NULL,
    created_at timestamp(3) with time zone NOT NULL
);
ALTER TABLE ONLY drizzle.__drizzle_migrations ALTER COLUMN id SET DEFAULT nextval('drizzle.__drizzle_migrations_id_seq'::regclass);
INSERT INTO drizzle.__drizzle_migrations VALUES (1, '7c3aa30d987fde45fb3ccb35c873731089bd26184b6bcc996c5755cb247a9751', 1795507197263);
INSERT INTO drizzle.__drizzle_migrations VALUES (2, '78976987703c7e998935dc46b323e8bb0b7d3a2312c8670bb2c594c8c7df6ed0', 1795507197756);
INSERT INTO drizzle.__drizzle_migrations VALUES (3, 'fdb9908ff628f07e645cd269bd70fb7bac4c46fdbce506e81952249377a41917', 1795523669223);
INSERT INTO drizzle.__drizzle_migrations VALUES (4, 'fcc1ac308ab62ca98377629a49351eed9151a8c506c2b3fbeae3e035df8836e5', 1795524230061);
INSERT INTO public.accounts VALUES ('376987c0616bfe34f38a92b572808d2a', 'account-487b66f073b5479cf691932af008e371', 'panel', 'optional', NULL, 0, '2026-01-01 00:00:00+00', false, false);
INSERT INTO public.accounts VALUES ('2b3d5c583bdb2d3c7173168b95761036', 'account-c5672c06086b4deb286562e22e58ae5c', 'panel', 'optional', NULL, 0, '2026-01-01 00:00:00+00', false, false);
INSERT INTO public.accounts VALUES ('5721b3c65180844aa377da3ba37961c8', 'account-4ff11b04768025c07b989061ebdcabe9', 'panel', 'optional', NULL, 0, '2026-01-01 00:00:30+00', false, false);
INSERT INTO public.accounts VALUES ('f589305f964f333916996be1cc212776', 'account-e6bc3f3d927cdb64777ae7287c46d553', 'panel', 'optional', NULL, 0, '2026-01-01 00:01:30+00', false, false);
INSERT INTO public.accounts VALUES ('554cd1dee3eaa9bdfa2addd781886255', '801d22418987ebd9b007c850c4101a2a', 'panel', 'optional', NULL, 0, '2026-01-01 12:00:00.123+00', false, false);
INSERT INTO public.devices VALUES ('fb32ac7b83d9cbda1c3a79c84600f5a6', '513add0558ba1b632779a4a3c73a3ff9', 'sms', NULL, 'US', '+12015550100', NULL, '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', NULL);
INSERT INTO public.devices VALUES ('83ccea307d1242134c8840ced2fd3fcb', '9be76c4340c61b9ddd342b179681ae22', 'otp', 'App', NULL, NULL, 'v1.recorded._5sDPt7eciBt46IP.FyGUWTxmEm04QVKwDgdsC6KyJALSNV7oyaoF6AURDMaqEuwyZm2sZ5S1ksPIoscK', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', NULL);
INSERT INTO public.devices VALUES ('0c8b7e9b01a7b07b254712709b9e15fd', '4b6b0e5789cc1ff3449283d32ee8f1b0', 'otp', 'App', NULL, NULL, 'v1.recorded.h93j7HOVZZopRpc7.y3SYlKNz1L_DMKo7CU0IWGTZjid-m8loVQdHQKoe8F6AQSaa0Y5RHVzQGuvKJhCb', '2026-01-01 00:00:30+00', '2026-01-01 00:00:30+00', NULL);
INSERT INTO public.devices VALUES ('f7406d8803abdbe303f89c00abcc57fb', '00d8abebcce07fac07a54e6b576c9a29', 'sms', NULL, 'US', '+12015550101', NULL, NULL, '2026-01-01 00:01:30+00', NULL);
INSERT INTO public.event_queue VALUES (14);
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (1, 'login_succeeded/771bcbc3aba1c179d6ed161e22fa8f10', '2026-01-01 00:00:00+00', '376987c0616bfe34f38a92b572808d2a', '513add0558ba1b632779a4a3c73a3ff9', '513add0558ba1b632779a4a3c73a3ff9', 'login_succeeded', NULL, NULL, NULL, '{}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (2, 'sms_device_added/be4d3b8b5c6949b8bb70f2f27ae30e35', '2026-01-01 00:00:00+00', '376987c0616bfe34f38a92b572808d2a', '513add0558ba1b632779a4a3c73a3ff9', '513add0558ba1b632779a4a3c73a3ff9', 'sms_device_added', NULL, NULL, NULL, '{"device": "+•••••••0100", "deviceId": "fb32ac7b83d9cbda1c3a79c84600f5a6"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (3, 'sms-enrollment/fb32ac7b83d9cbda1c3a79c84600f5a6/device_verified', '2026-01-01 00:00:00+00', '376987c0616bfe34f38a92b572808d2a', '513add0558ba1b632779a4a3c73a3ff9', '513add0558ba1b632779a4a3c73a3ff9', 'device_verified', NULL, NULL, 'sms-enrollment/fb32ac7b83d9cbda1c3a79c84600f5a6', '{"device": "+•••••••0100", "deviceId": "fb32ac7b83d9cbda1c3a79c84600f5a6"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (4, 'login_succeeded/076a3c2f94f05fb21aeb6e25e885c18b', '2026-01-01 00:00:00+00', '2b3d5c583bdb2d3c7173168b95761036', '9be76c4340c61b9ddd342b179681ae22', '9be76c4340c61b9ddd342b179681ae22', 'login_succeeded', NULL, NULL, NULL, '{}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (5, 'otp_device_added/b4c1146112a973907bce70df2dd22c39', '2026-01-01 00:00:00+00', '2b3d5c583bdb2d3c7173168b95761036', '9be76c4340c61b9ddd342b179681ae22', '9be76c4340c61b9ddd342b179681ae22', 'otp_device_added', NULL, NULL, NULL, '{"device": "App", "deviceId": "83ccea307d1242134c8840ced2fd3fcb"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (6, 'otp-enrollment/83ccea307d1242134c8840ced2fd3fcb/device_verified', '2026-01-01 00:00:00+00', '2b3d5c583bdb2d3c7173168b95761036', '9be76c4340c61b9ddd342b179681ae22', '9be76c4340c61b9ddd342b179681ae22', 'device_verified', NULL, NULL, 'otp-enrollment/83ccea307d1242134c8840ced2fd3fcb', '{"device": "App", "deviceId": "83ccea307d1242134c8840ced2fd3fcb"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (7, 'login_succeeded/874c61e027b229a582c776b7b0a8767c', '2026-01-01 00:00:30+00', '5721b3c65180844aa377da3ba37961c8', '4b6b0e5789cc1ff3449283d32ee8f1b0', '4b6b0e5789cc1ff3449283d32ee8f1b0', 'login_succeeded', NULL, NULL, NULL, '{}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (8, 'otp_device_added/d3c6ba668384f219b9ca14655b25c899', '2026-01-01 00:00:30+00', '5721b3c65180844aa377da3ba37961c8', '4b6b0e5789cc1ff3449283d32ee8f1b0', '4b6b0e5789cc1ff3449283d32ee8f1b0', 'otp_device_added', NULL, NULL, NULL, '{"device": "App", "deviceId": "0c8b7e9b01a7b07b254712709b9e15fd"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (9, 'otp-enrollment/0c8b7e9b01a7b07b254712709b9e15fd/device_verified', '2026-01-01 00:00:30+00', '5721b3c65180844aa377da3ba37961c8', '4b6b0e5789cc1ff3449283d32ee8f1b0', '4b6b0e5789cc1ff3449283d32ee8f1b0', 'device_verified', NULL, NULL, 'otp-enrollment/0c8b7e9b01a7b07b254712709b9e15fd', '{"device": "App", "deviceId": "0c8b7e9b01a7b07b254712709b9e15fd"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (10, 'login-challenge/4b6b0e5789cc1ff3449283d32ee8f1b075b5d16aa662590de6338272/login_succeeded', '2026-01-01 00:01:30+00', '5721b3c65180844aa377da3ba37961c8', '4b6b0e5789cc1ff3449283d32ee8f1b0', '4b6b0e5789cc1ff3449283d32ee8f1b0', 'login_succeeded', NULL, NULL, 'login-challenge/4b6b0e5789cc1ff3449283d32ee8f1b075b5d16aa662590de6338272', '{"device": "App", "factor": "otp"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (11, 'recovery_codes_made/8be23dc3deb71903486c8ac797a264ae', '2026-01-01 00:01:30+00', '5721b3c65180844aa377da3ba37961c8', '4b6b0e5789cc1ff3449283d32ee8f1b0', '4b6b0e5789cc1ff3449283d32ee8f1b0', 'recovery_codes_made', NULL, NULL, NULL, '{"quantity": 2}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (12, 'login_succeeded/79bb8be1ee157896e575a76206c412f1', '2026-01-01 00:01:30+00', 'f589305f964f333916996be1cc212776', '00d8abebcce07fac07a54e6b576c9a29', '00d8abebcce07fac07a54e6b576c9a29', 'login_succeeded', NULL, NULL, NULL, '{}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (13, 'sms_device_added/79d199b322b78c237ceccea12825b85e', '2026-01-01 00:01:30+00', 'f589305f964f333916996be1cc212776', '00d8abebcce07fac07a54e6b576c9a29', '00d8abebcce07fac07a54e6b576c9a29', 'sms_device_added', NULL, NULL, NULL, '{"device": "+•••••••0101", "deviceId": "f7406d8803abdbe303f89c00abcc57fb"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES (14, '4c368a86d38215ea0317f1be8a8608a6', '2026-01-01 12:00:00.123+00', '554cd1dee3eaa9bdfa2addd781886255', '89314f98c4a38484f98ecce4885a2f4c', NULL, 'webhook_added', NULL, NULL, NULL, '{"host": "127.0.0.1:9"}');
INSERT INTO public.recovery_codes VALUES ('4b6b0e5789cc1ff3449283d32ee8f1b0', 'd58bc185a2f9f5f9c83c6250ea4f4a08444260bf489cf53ee08b914a86cdcfc1', '514b5486bbf258948e93b075089c071b', '2026-01-01 00:01:30+00', NULL, NULL, NULL);
INSERT INTO public.recovery_codes VALUES ('4b6b0e5789cc1ff3449283d32ee8f1b0', 'c96d406622af5935609cf57e48fa02d8702632affbae08212ec5fb1a68eefe90', '514b5486bbf258948e93b075089c071b', '2026-01-01 00:01:30+00', NULL, NULL, NULL);
INSERT INTO public.users VALUES ('513add0558ba1b632779a4a3c73a3ff9', '376987c0616bfe34f38a92b572808d2a', 'user-cda8e9ec61b7f26f386c36ca8941c67c', NULL, '$argon2id$v=19$m=19456,t=2,p=1$M6Kpr9CgCXZbNeCMPKKVLg$Yz4HxO6+M0kRZaWmJjeTWtVQBRqKFDbrgM+9gCK4buM', 'member', 'sms', NULL, '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', NULL);
INSERT INTO public.users VALUES ('9be76c4340c61b9ddd342b179681ae22', '2b3d5c583bdb2d3c7173168b95761036', 'user-c4833b3fd5ee73d264a79d30abf1d401', NULL, '$argon2id$v=19$m=19456,t=2,p=1$GBZhWnScE2HD1Kal41Korg$FwOwld1/6JL5YkpmxSb0Mc4MkXlqel+/ZwFr3BCbeXk', 'member', 'otp', NULL, '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', NULL);
INSERT INTO public.users VALUES ('4b6b0e5789cc1ff3449283d32ee8f1b0', '5721b3c65180844aa377da3ba37961c8', 'user-47e6d0477778c28302d49a327febe740', NULL, '$argon2id$v=19$m=19456,t=2,p=1$nkCtRaIakU2mkHfM1Sgn/w$zgdT09nFRE5N144jqAp4yytfWQVIyJ1RK3+wjc+Y+h0', 'member', 'otp', NULL, '2026-01-01 00:01:30+00', '2026-01-01 00:00:30+00', NULL);
INSERT INTO public.users VALUES ('00d8abebcce07fac07a54e6b576c9a29', 'f589305f964f333916996be1cc212776', 'user-7f4f451ff6cfd355f0efe44ef739bb6a', NULL, '$argon2id$v=19$m=19456,t=2,p=1$QwO4KidhXpvaNDw8LKlQxA$z3QJbRcwgoxSM6a1lktqA7rYWDF51mzHGjM3YWH9l9g', 'member', NULL, NULL, '2026-01-01 00:01:30+00', '2026-01-01 00:01:30+00', NULL);
INSERT INTO public.users VALUES ('89314f98c4a38484f98ecce4885a2f4c', '554cd1dee3eaa9bdfa2addd781886255', '5fe3a25e24086726d2146118255b1ef4', NULL, 'hash', 'member', NULL, NULL, NULL, '2026-01-01 12:00:00.123+00', NULL);
INSERT INTO public.webhooks VALUES ('90447e11a302645509ef5d6c97a54493', '554cd1dee3eaa9bdfa2addd781886255', 'http://127.0.0.1:9/', 'v1.recorded.9CSk0yYxSwoexFvD.axwGecPBODOiVJjljCG9EkH9R4TRPK6f4JdswtdDrJp_BlYuyGpGFG9XmmMf2yodSODTHxM_', NULL, NULL, '89314f98c4a38484f98ecce4885a2f4c', '2026-01-01 12:00:00.123+00');
SELECT pg_catalog.setval('drizzle.__drizzle_migrations_id_seq', 4, true);
SELECT pg_catalog.setval('public.events_id_seq', 14, true);
ALTER TABLE ONLY drizzle.__drizzle_migrations
    ADD CONSTRAINT __drizzle_migrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.account_links
    ADD CONSTRAINT account_links_account_id_linked_account_id_pk PRIMARY KEY (account_id, linked_account_id);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_name_unique UNIQUE (name);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.event_queue
    ADD CONSTRAINT event_queue_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_key_unique UNIQUE (key);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_user_id_hash_pk PRIMARY KEY (user_id, hash);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_username_unique UNIQUE (username);
ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_webhook_id_event_id_pk PRIMARY KEY (webhook_id, event_id);
ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (id);
CREATE INDEX devices_by_user ON public.devices USING btree (user_id, created_at);
CREATE UNIQUE INDEX devices_one_sms ON public.devices USING btree (user_id) WHERE (type = 'sms'::text);
CREATE INDEX events_by_account ON public.events USING btree (account_id, id);
CREATE INDEX events_by_user ON public.events USING btree (user_id, id);
CREATE INDEX users_by_account ON public.users USING btree (account_id, username);
CREATE INDEX users_by_username_prefix ON public.users USING btree (username text_pattern_ops);
CREATE INDEX webhooks_by_account ON public.webhooks USING btree (account_id, created_at);
CREATE TRIGGER events_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.events FOR EACH STATEMENT EXECUTE FUNCTION public.events_append_only();
CREATE TRIGGER events_queue AFTER INSERT ON public.events FOR EACH ROW EXECUTE FUNCTION public.events_queue();
ALTER TABLE ONLY public.account_links
    ADD CONSTRAINT account_links_account_id_accounts_id_fk FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.account_links
    ADD CONSTRAINT account_links_linked_account_id_accounts_id_fk FOREIGN KEY (linked_account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_user_id_users_id_fk FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_user_id_users_id_fk FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_user_id_users_id_fk FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_account_id_accounts_id_fk FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_webhook_id_webhooks_id_fk FOREIGN KEY (webhook_id) REFERENCES public.webhooks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_account_id_accounts_id_fk FOREIGN KEY (account_id) REFERENCES public.accounts(id);
