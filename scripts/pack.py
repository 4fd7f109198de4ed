"""pack.py ARCHIVE FOLDER SECONDS: packs a folder so that the same files give the same bytes: in order, with one time
(seconds since 1970), no owners. ARCHIVE ends with .tar.gz or .zip."""
import gzip
import pathlib
import sys
import tarfile
import time
import zipfile

archive, folder, seconds = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
files = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())


def executable(path):
    return bool(path.stat().st_mode & 0o100)


if archive.suffix == ".zip":
    moment = time.gmtime(seconds)[:6]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in files:
            entry = zipfile.ZipInfo(str(path.relative_to(folder.parent)), moment)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if executable(path) else 0o644) << 16
            out.writestr(entry, path.read_bytes())
else:
    with open(archive, "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=seconds) as compressed, \
            tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as out:
        for path in files:
            entry = out.gettarinfo(str(path), str(path.relative_to(folder.parent)))
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = seconds
            if entry.isfile():
                entry.mode = 0o755 if executable(path) else 0o644
                with open(path, "rb") as content:
                    out.addfile(entry, content)
            else:
                out.addfile(entry)
