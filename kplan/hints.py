"""Names that only annotations need: to load `typing` takes as long as to check a small file.

No annotation is ever evaluated (`from __future__ import annotations`), so a run needs no more of them than that they
are there. A type checker sees the library's own.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any as Any
    from typing import Final as Final
    from typing import NoReturn as NoReturn
    from typing import TextIO as TextIO
    from typing import dataclass_transform as dataclass_transform
else:
    Any = Final = NoReturn = TextIO = object

    def dataclass_transform(**_):
        """A decorator that tells a type checker what another one makes."""
        return lambda function: function
