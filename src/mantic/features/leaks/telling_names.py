"""Names that sound recorded after the answer: paid, closed, refund and their like, in four languages."""

import re
import unicodedata

_WORDS = frozenset({
    # English
    "paid", "payment", "payments", "repaid", "repayment", "balance", "outcome", "outcomes", "result", "results",
    "status", "ended", "end", "ending", "closed", "closing", "closure", "final", "actual", "after", "post",
    "decision", "verdict", "label", "target", "settled", "exit", "installment", "instalment", "resolution",
    "resolved", "completed", "completion", "delivered", "returned", "died", "death",
    # German
    "bezahlt", "gezahlt", "zahlung", "zahlungen", "rueckzahlung", "ergebnis", "erstattung", "erstattet",
    "kuendigung", "gekuendigt", "storno", "storniert", "abgeschlossen", "abschluss", "beendet", "ende", "saldo",
    "mahnung", "inkasso", "erledigt", "ausgang", "geschlossen",
    # Spanish
    "pagado", "pagada", "pago", "pagos", "resultado", "reembolso", "reembolsado", "cancelado", "cancelada",
    "cerrado", "cerrada", "cierre", "devuelto", "liquidado", "entregado", "desenlace", "fin",
    # French
    "paye", "payee", "paiement", "paiements", "resultat", "rembourse", "remboursement", "annule", "annulee",
    "annulation", "cloture", "cloturee", "solde", "resilie", "resiliation", "statut", "ferme", "livre", "sortie",
})  # fmt: skip
_STEMS = (
    "refund", "recover", "settle", "cancel", "discharg", "chargeoff", "chargedoff", "writeoff", "churn", "outstanding",
)  # fmt: skip
_EARLIER = frozenset({
    "previous", "prev", "prior", "past", "last", "historical", "history", "planned", "expected", "scheduled", "before",
    "max", "min",
})  # fmt: skip
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def telling(name: str) -> str:
    """Return the word in a column's name that sounds recorded after the answer, or nothing.

    >>> telling("totalRefund"), telling("Rückzahlung_am"), telling("previous_cancellations"), telling("gender")
    ('refund', 'rueckzahlung', '', '')
    """
    words = words_of(name)
    if _EARLIER & set(words):
        return ""
    return next((word for word in words if word in _WORDS or word.startswith(_STEMS)), "")


def words_of(name: str) -> list[str]:
    """Return the words of a name in small letters, without accents.

    >>> words_of("paid_totalAmount2")
    ['paid', 'total', 'amount', '2']
    """
    for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue"), ("ß", "ss")):
        name = unicodedata.normalize("NFC", name).replace(letter, plain)
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return [word.lower() for word in _PART.findall(bare)]
