import { Component, type ReactNode, Suspense } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { useIsDown } from "../connection.ts";
import { pages } from "../pages.ts";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { Toasts } from "../parts/toast.tsx";
import { Navigation } from "./navigation.tsx";

/** The frame of every page: the navigation, the page, and a banner while the service does not answer. */
export function Shell() {
  const [location] = useLocation();
  return (
    <div className="flex h-full flex-col lg:flex-row">
      <a href="#page" className="absolute -top-20 left-2 z-50 rounded-md bg-accent px-3 py-2 text-on-accent focus:top-2">
        Skip to the page
      </a>
      <Navigation />
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <Banner />
        <main id="page" tabIndex={-1} className="min-h-0 flex-1 overflow-auto bg-page outline-none">
          <PageGuard key={location}>
            <Suspense fallback={<Skeleton lines={6} className="p-6" />}>
              <Switch>
                {pages.map(({ path, page: Page }) => (
                  <Route key={path} path={path}>
                    <Page />
                  </Route>
                ))}
                <Route>
                  <Nowhere />
                </Route>
              </Switch>
            </Suspense>
          </PageGuard>
        </main>
      </div>
      <Toasts />
    </div>
  );
}

/** A banner that is shown as long as the service does not answer. */
function Banner() {
  const isDown = useIsDown();
  return (
    <div role="status" aria-live="polite">
      {isDown && (
        <p className="flex items-center gap-2 bg-warn-soft px-4 py-2 font-medium text-warn lg:px-6">
          <Icon name="warning" />
          The service does not answer. Trying again …
        </p>
      )}
    </div>
  );
}

function Nowhere() {
  return (
    <Empty
      title="There is no such page"
      action={
        <Link href="/" className="text-accent underline">
          Go to the live page
        </Link>
      }
    >
      The address may be mistyped, or this release has no such page.
    </Empty>
  );
}

/** Shows an error in place of a page that failed to render, so that the rest of the console stays usable. */
export class PageGuard extends Component<{ children: ReactNode }, { failure: { error: unknown } | undefined }> {
  override state: { failure: { error: unknown } | undefined } = { failure: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { failure: { error } };
  }

  override render() {
    const { failure } = this.state;
    if (!failure) return this.props.children;
    return (
      <>
        <Failure what="This page failed" error={failure.error} retry={() => this.setState({ failure: undefined })} />
        <div className="px-4">
          <Button onClick={() => location.reload()}>Reload the console</Button>
        </div>
      </>
    );
  }
}
