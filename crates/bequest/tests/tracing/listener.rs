//! A subscriber that keeps what it is told, and insists that spans are used well.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once};

use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber, span};
use tracing_core::span::Current;

pub(crate) type Fields = BTreeMap<&'static str, String>;

/// All that was told during a work, in order.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) spans: Vec<ToldSpan>,
    pub(crate) events: Vec<ToldEvent>,
}

#[derive(Debug)]
pub(crate) struct ToldSpan {
    pub(crate) name: &'static str,
    pub(crate) fields: Fields,
    parent: Option<usize>,
    metadata: &'static Metadata<'static>,
    handles: usize,
}

#[derive(Debug)]
pub(crate) struct ToldEvent {
    pub(crate) level: Level,
    pub(crate) text: String,
    pub(crate) fields: Fields,
    /// The names of the spans that it is in, outermost first, and which they are.
    pub(crate) spans: Vec<&'static str>,
    pub(crate) path: Vec<usize>,
}

impl Told {
    /// The only span of that name.
    #[track_caller]
    pub(crate) fn span(&self, name: &str) -> &ToldSpan {
        let mut found = self.spans.iter().filter(|span| span.name == name);
        let span = found.next().unwrap_or_else(|| panic!("no span {name}: {self:?}"));
        assert!(found.next().is_none(), "more than one span {name}: {self:?}");
        span
    }

    pub(crate) fn events_of<'t>(&'t self, text: &'t str) -> impl Iterator<Item = &'t Fields> {
        self.events.iter().filter(move |event| event.text == text).map(|event| &event.fields)
    }

    /// The fields of the first event with that text.
    #[track_caller]
    pub(crate) fn event(&self, text: &str) -> &Fields {
        let found = self.events.iter().find(|event| event.text == text).map(|event| &event.fields);
        found.unwrap_or_else(|| panic!("no event {text}: {self:?}"))
    }

    /// The document names all of it; warnings have texts of their own.
    #[track_caller]
    fn is_documented(&self) {
        const DOCUMENT: &str = include_str!("../../../../docs/tracing.md");
        let texts = self.events.iter().filter(|event| event.level != Level::WARN);
        let ours = || self.spans.iter().filter(|span| span.metadata.target() == "bequest");
        let texts = texts.map(|event| &*event.text).chain(ours().map(|span| span.name));
        let fields = ours().map(|span| &span.fields);
        let fields = fields.chain(self.events.iter().map(|event| &event.fields));
        for name in texts.chain(fields.flatten().map(|(name, _)| *name)) {
            assert!(DOCUMENT.contains(&format!("`{name}`")), "docs/tracing.md has no `{name}`");
        }
    }

    fn path(&self, mut at: Option<usize>) -> Vec<usize> {
        let mut path = Vec::new();
        while let Some(span) = at {
            path.insert(0, span);
            at = self.spans[span].parent;
        }
        path
    }
}

static TOLD: Mutex<Option<Told>> = Mutex::new(None);

fn told() -> MutexGuard<'static, Option<Told>> {
    TOLD.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

thread_local! {
    /// The spans that the thread is in.
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Whether the thread is in no span.
pub(crate) fn is_outside() -> bool {
    INSIDE.with_borrow(Vec::is_empty)
}

/// The ear of the process: whoever has it is alone, so that nothing of another test is heard.
pub(crate) struct Ear {
    _alone: MutexGuard<'static, ()>,
}

impl Ear {
    pub(crate) fn alone() -> Self {
        static INSTALLED: Once = Once::new();
        static ALONE: Mutex<()> = Mutex::new(());
        INSTALLED.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
        Self { _alone: ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) }
    }

    /// The same, where a filter leaves the library's spans out.
    #[track_caller]
    pub(crate) fn listen_without_spans(&self, work: impl FnOnce()) -> Told {
        WITHOUT_SPANS.store(true, Ordering::Relaxed);
        let told = self.listen(work);
        WITHOUT_SPANS.store(false, Ordering::Relaxed);
        told
    }

    /// What is told during the work, by all threads. Every span must be closed in the end.
    #[track_caller]
    pub(crate) fn listen(&self, work: impl FnOnce()) -> Told {
        *told() = Some(Told::default());
        work();
        let open = || told().as_ref().unwrap().spans.iter().any(|span| span.handles > 0);
        crate::support::until("every span is closed", || !open());
        assert!(is_outside(), "a span was not left");
        let told = std::mem::take(&mut *told()).unwrap();
        told.is_documented();
        told
    }
}

/// Whether the library's spans are filtered out.
static WITHOUT_SPANS: AtomicBool = AtomicBool::new(false);

struct Listener;

fn index(id: &span::Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}

impl Subscriber for Listener {
    /// So that it is asked each time.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_left_out = metadata.is_span() && metadata.target() == "bequest";
        metadata.target().starts_with("bequest")
            && !(is_left_out && WITHOUT_SPANS.load(Ordering::Relaxed))
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut texts = Texts::default();
        attributes.record(&mut texts);
        let parent = match attributes.is_contextual() {
            true => INSIDE.with_borrow(|inside| inside.last().copied()),
            false => attributes.parent().map(index),
        };
        let mut told = told();
        let metadata = attributes.metadata();
        let span =
            ToldSpan { name: metadata.name(), fields: texts.0, parent, metadata, handles: 1 };
        // Also where nobody listens: whoever has the ear begins with none.
        let spans = &mut told.get_or_insert_default().spans;
        spans.push(span);
        span::Id::from_u64(spans.len() as u64)
    }

    fn event(&self, event: &Event<'_>) {
        let mut texts = Texts::default();
        event.record(&mut texts);
        let at = match event.is_contextual() {
            true => INSIDE.with_borrow(|inside| inside.last().copied()),
            false => event.parent().map(index),
        };
        let text = texts.0.remove("message").unwrap_or_default();
        let mut told = told();
        let Some(told) = &mut *told else { return };
        let path = told.path(at);
        let spans = path.iter().map(|&span| told.spans[span].name).collect();
        let level = *event.metadata().level();
        told.events.push(ToldEvent { level, text, fields: texts.0, spans, path });
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        let mut texts = Texts::default();
        values.record(&mut texts);
        told().as_mut().unwrap().spans[index(id)].fields.extend(texts.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, id: &span::Id) {
        INSIDE.with_borrow_mut(|inside| inside.push(index(id)));
    }

    fn exit(&self, id: &span::Id) {
        let left = INSIDE.with_borrow_mut(Vec::pop);
        assert_eq!(left, Some(index(id)), "spans are left in the order in which they were entered");
    }

    fn clone_span(&self, id: &span::Id) -> span::Id {
        told().as_mut().unwrap().spans[index(id)].handles += 1;
        id.clone()
    }

    fn try_close(&self, id: span::Id) -> bool {
        let mut told = told();
        let handles = &mut told.as_mut().unwrap().spans[index(&id)].handles;
        *handles -= 1;
        *handles == 0
    }

    fn current_span(&self) -> Current {
        let inside = INSIDE.with_borrow(|inside| inside.last().copied());
        match (inside, &*told()) {
            (Some(at), Some(told)) => {
                Current::new(span::Id::from_u64(at as u64 + 1), told.spans[at].metadata)
            }
            _ => Current::none(),
        }
    }
}

#[derive(Default)]
struct Texts(Fields);

impl Visit for Texts {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
