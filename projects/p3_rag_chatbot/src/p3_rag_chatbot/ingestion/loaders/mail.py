"""Mails (RFC 5322): headers are metadata, the text is the document, attachments are documents."""

from email import policy
from email.message import EmailMessage, Message, MIMEPart
from email.parser import BytesParser

from p3_rag_chatbot.ingestion.documents import Attachment, DocumentBuilder, one_line
from p3_rag_chatbot.ingestion.loaders.encodings import decode
from p3_rag_chatbot.ingestion.loaders.html import add_html
from p3_rag_chatbot.ingestion.loaders.limits import Limits, UnreadableError
from p3_rag_chatbot.ingestion.loaders.plain import add_text

_HEADERS = ("from", "to", "cc", "date", "subject")


def read(content: bytes, builder: DocumentBuilder, limits: Limits) -> None:
    """Read a mail: its plain text where it has one, else its HTML."""
    message = BytesParser(policy=policy.default).parsebytes(content)
    if not any(message.get(name) for name in _HEADERS):
        raise UnreadableError("it is not a mail: it has no headers")
    builder.metadata |= {name: str(message.get(name, "")) for name in _HEADERS}
    builder.heading(one_line(str(message.get("subject", ""))), 1)
    builder.paragraph(f"From: {message.get('from', '')}\nDate: {message.get('date', '')}")
    body = message.get_body(("plain", "html"))
    if body is not None and body.get_content_subtype() == "html":
        add_html(builder, _text(body))
    elif body is not None:
        add_text(builder, _text(body))
    _add_attachments(builder, message, limits)


def _text(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    charset = part.get_content_charset("")
    return decode(payload, charset) if isinstance(payload, bytes) else str(payload)


def _add_attachments(builder: DocumentBuilder, message: EmailMessage, limits: Limits) -> None:
    for number, part in enumerate(message.iter_attachments(), 1):
        name = one_line(part.get_filename() or "")
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload(0)
            content: object = inner.as_bytes() if isinstance(inner, Message) else b""
            name = name or f"attachment-{number}.eml"
        else:
            content = part.get_payload(decode=True)
        if not isinstance(content, bytes) or not name:
            builder.notes.append(f"attachment {number} was not read: it has no name or no content")
        elif len(builder.attachments) >= limits.max_files:
            builder.notes.append(f"attachments from the {number}. on were not read")
            return
        else:
            own = name.replace("\\", "/").rpartition("/")[2]
            is_taken = own in {one.name for one in builder.attachments}
            own = f"{number}-{own}" if is_taken or not own else own
            builder.attachments.append(Attachment(own, content))
