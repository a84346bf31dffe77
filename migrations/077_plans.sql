-- Plans that clients register: subtasks with dependencies, whose status agents outside the service report. The status of a plan is derived
-- from its subtasks, so it is stored nowhere.
create type plan_task_status as enum ('pending', 'running', 'done', 'failed', 'skipped');

create table plans (
  plan_id    uuid        primary key,
  type       text        not null,
  title      text,
  metadata   json        not null default '{}',
  owner      text,
  created_at timestamptz not null default now(),
  -- The time of the last change of the plan or of one of its subtasks.
  updated_at timestamptz not null default now()
);

create index plans_by_created_at on plans (created_at, plan_id);
create index plans_by_updated_at on plans (updated_at);

create table plan_tasks (
  plan_id     uuid             not null references plans on delete cascade,
  task_id     text             not null,
  -- The place of the subtask in its plan.
  place       integer          not null,
  title       text             not null,
  depends_on  text[]           not null default '{}',
  metadata    json             not null default '{}',
  status      plan_task_status not null default 'pending',
  agent       text,
  result      json,
  error       text,
  -- How often the subtask was begun.
  attempts    integer          not null default 0 check (attempts >= 0),
  started_at  timestamptz,
  ended_at    timestamptz,
  updated_at  timestamptz      not null default now(),

  primary key (plan_id, task_id),
  check ((status in ('done', 'failed', 'skipped')) = (ended_at is not null))
);

create index plan_tasks_open on plan_tasks (plan_id) where status in ('pending', 'running');
